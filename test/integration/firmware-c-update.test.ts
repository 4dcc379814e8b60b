import { beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { updateFirmware } from "../../src/serial/firmware/firmware-update.ts";
import { readImageFile } from "../../src/serial/firmware/image-file.ts";
import { ImageGroup } from "../../src/serial/groups/image-group.ts";
import { portAt } from "../../src/serial/port-address.ts";
import { SmpLink } from "../../src/serial/smp-link.ts";
import { type Board, lacksBoard, makeFirmware, startFirmware } from "../support/c-firmware.ts";
import { buildImage } from "../support/image-builder.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";

const folder = new ScratchFolder();
const clock = systemClock;

/** What the client reads of an image that a test built. */
const image = (...recipe: Parameters<typeof buildImage>) => readImageFile(buildImage(...recipe).bytes);

describe.each<Board>(["host", "mps2-an385"])("landfall updates the sample firmware on %s", (board) => {
  if (lacksBoard(board)) {
    test.skip("needs its toolchain");
    return;
  }
  beforeAll(async () => {
    await makeFirmware(board);
  }, 300_000);

  async function scene(name: string) {
    const files = { flash: folder.file(`${board}-${name}.flash`), socket: folder.file(`${board}-${name}.sock`) };
    const firmware = await startFirmware(board, files);
    const link = await SmpLink.start({ port: portAt(`unix:${files.socket}`) });
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

  test("to a new image, which is confirmed", async () => {
    await using bench = await scene("good");
    const update = image("1.1.0", { bodyBytes: 100_000 });
    expect(await updateFirmware(bench.link, update, { clock })).toEqual({ outcome: "updated", from: "1.0.0" });
    expect(await bench.running()).toBe("1.1.0");
  });

  test("to one that never comes up, and is back at the former one", async () => {
    await using bench = await scene("bad");
    const update = image("1.1.0", { marker: "LANDFALL-MCU:hang" });
    await expect(updateFirmware(bench.link, update, { clock })).rejects.toMatchObject({ code: "firmware.reverted" });
    expect(await bench.running()).toBe("1.0.0");
  });

  test("to one that comes up unwell, and sends it back", async () => {
    await using bench = await scene("unwell");
    const healthCheck = async (): Promise<void> => {
      throw new Error("the pressure is not read");
    };
    const update = updateFirmware(bench.link, image("1.1.0"), { clock, healthCheck, healthTimeoutMs: 1 });
    await expect(update).rejects.toMatchObject({ code: "firmware.reverted" });
    expect(await bench.running()).toBe("1.0.0");
  });
});
