import { beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { updateFirmware } from "../../src/serial/firmware/firmware-update.ts";
import { readImageFile } from "../../src/serial/firmware/image-file.ts";
import { CommandsGroup } from "../../src/serial/groups/commands-group.ts";
import { IdentityGroup } from "../../src/serial/groups/identity-group.ts";
import { ImageGroup } from "../../src/serial/groups/image-group.ts";
import type { Port } from "../../src/serial/port.ts";
import { portAt } from "../../src/serial/port-at.ts";
import { SmpLink } from "../../src/serial/smp-link.ts";
import type { LinkFaults } from "../../src/testing/faulty-link.ts";
import { MemoryPort } from "../../src/testing/memory-port.ts";
import { type Board, lacksBoard, makeFirmware, startFirmware } from "../support/c-firmware.ts";
import { buildImage } from "../support/image-builder.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";

const folder = new ScratchFolder();
const clock = systemClock;

/** What the client reads of an image that a test built. */
const image = (...recipe: Parameters<typeof buildImage>) => readImageFile(buildImage(...recipe).bytes);

/** A port behind a line with faults; the same ones in every run. */
async function overBadLine(port: Port, faults: LinkFaults): Promise<Port> {
  const stream = await port.open();
  let state = 987_654_321;
  const random = (): number => {
    state = (state * 48_271) % 0x7fffffff;
    return state / 0x7fffffff;
  };
  return new MemoryPort((far) => void far.pipe(stream).pipe(far), { ...faults, random });
}

async function scene(board: Board, name: string, faults?: LinkFaults) {
  const files = { flash: folder.file(`${board}-${name}.flash`), socket: folder.file(`${board}-${name}.sock`) };
  const firmware = await startFirmware(board, files);
  const port = portAt(`unix:${files.socket}`);
  const link = await SmpLink.start({ port: faults ? await overBadLine(port, faults) : port });
  const running = async (): Promise<string | undefined> => {
    const slots = await new ImageGroup(link).slots();
    const active = slots.find((slot) => slot.active);
    return `${active?.version}${active?.confirmed === true ? "" : ", on trial"}`;
  };
  return {
    link,
    running,
    async [Symbol.asyncDispose]() {
      await link.close();
      await firmware.cutPower();
    },
  };
}

for (const board of ["host", "mps2-an385"] as const) {
  describe.skipIf(lacksBoard(board))(`landfall updates the sample firmware on ${board}`, () => {
    beforeAll(async () => {
      await makeFirmware(board);
    }, 300_000);

    test("to a new image, which is confirmed", async () => {
      await using bench = await scene(board, "good");
      const update = image("1.1.0", { bodyBytes: 100_000 });
      expect(await updateFirmware(bench.link, update, { clock })).toEqual({ outcome: "updated", from: "1.0.0" });
      expect(await bench.running()).toBe("1.1.0");
    });

    test("to one that never comes up, and is back at the former one", async () => {
      await using bench = await scene(board, "bad");
      const update = image("1.1.0", { marker: "LANDFALL-MCU:hang" });
      await expect(updateFirmware(bench.link, update, { clock })).rejects.toMatchObject({ code: "firmware.reverted" });
      expect(await bench.running()).toBe("1.0.0");
    });

    test("to one that comes up unwell, and sends it back", async () => {
      await using bench = await scene(board, "unwell");
      const healthCheck = async (): Promise<void> => {
        throw new Error("the pressure is not read");
      };
      const update = updateFirmware(bench.link, image("1.1.0"), { clock, healthCheck, healthTimeoutMs: 1 });
      await expect(update).rejects.toMatchObject({ code: "firmware.reverted" });
      expect(await bench.running()).toBe("1.0.0");
    });
  });
}

describe.skipIf(lacksBoard("host"))("landfall updates the sample firmware", () => {
  beforeAll(async () => {
    await makeFirmware("host");
  }, 300_000);

  test("over a line that loses or changes one byte in three thousand", async () => {
    await using bench = await scene("host", "line", { loss: 0.0002, corruption: 0.00015 });
    const update = image("1.1.0", { bodyBytes: 10_000 });
    expect(await updateFirmware(bench.link, update, { clock })).toMatchObject({ outcome: "updated" });
    expect(await bench.running()).toBe("1.1.0");
    // One command, said as often as it takes, is executed once.
    const identity = await new IdentityGroup(bench.link).identity();
    const commands = new CommandsGroup(bench.link);
    for (let count = 1; count <= 20; count++) {
      const answer = await commands.execute({ id: `id ${count}`, boot: identity.boot, name: "count" });
      expect(answer).toEqual({ status: 200, result: { count } });
    }
  });
});
