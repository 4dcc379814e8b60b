import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { seededRandom } from "../../../src/emulator/randomness.ts";
import { encodeFrames } from "../../../src/serial/console-frames.ts";
import { FrameReader } from "../../../src/serial/frame-reader.ts";
import { ImageGroup } from "../../../src/serial/groups/image-group.ts";
import { OsGroup } from "../../../src/serial/groups/os-group.ts";
import { StatisticsGroup } from "../../../src/serial/groups/statistics-group.ts";
import { SmpLink } from "../../../src/serial/smp-link.ts";
import { MemoryPort } from "../../../src/testing/memory-port.ts";
import { fromHex, toHex } from "./smp-vectors.ts";

interface Session {
  readonly exchanges: readonly { readonly request: string; readonly response: string }[];
  readonly receivedPackets: readonly string[];
  readonly receivedWire: string;
}

const session = JSON.parse(
  readFileSync(new URL("../../vectors/zephyr-session.json", import.meta.url), "utf8"),
) as Session;

const open: SmpLink[] = [];
afterEach(async () => {
  for (const link of open.splice(0)) await link.close();
});

/** Answers each request as Zephyr did, in the order of the session; whatever Zephyr was not asked stays unanswered. */
async function zephyr(): Promise<SmpLink> {
  const left = [...session.exchanges];
  const port = new MemoryPort((far) => {
    const reader = new FrameReader({
      onPacket: (packet) => {
        const sequence = packet[6] as number;
        const at = left.findIndex(({ request }) => toHex(withSequence(fromHex(request), sequence)) === toHex(packet));
        const [exchange] = at < 0 ? [] : left.splice(0, at + 1).slice(-1);
        if (exchange) far.write(encodeFrames(withSequence(fromHex(exchange.response), sequence)));
      },
    });
    far.on("data", (chunk: Buffer) => reader.push(chunk));
  });
  const link = await SmpLink.start({ port });
  open.push(link);
  return link;
}

function withSequence(packet: Uint8Array, sequence: number): Uint8Array {
  const copy = Uint8Array.from(packet);
  copy[6] = sequence;
  return copy;
}

describe("a recorded session with Zephyr and MCUboot", () => {
  test("has its packets found among log lines and a boot, however the stream is cut", () => {
    const wire = fromHex(session.receivedWire);
    const random = seededRandom(1);
    for (let time = 0; time < 20; time++) {
      const packets: string[] = [];
      const reader = new FrameReader({ onPacket: (packet) => void packets.push(toHex(packet)) });
      for (let from = 0; from < wire.length; ) {
        const to = from + 1 + Math.floor(random() * 60);
        reader.push(wire.subarray(from, to));
        from = to;
      }
      expect(packets).toEqual(session.receivedPackets);
    }
  });

  test("is understood from the first echo to the confirmation of the new image", async () => {
    const link = await zephyr();
    const [os, images, statistics] = [new OsGroup(link), new ImageGroup(link), new StatisticsGroup(link)];
    expect(await os.echo("hi")).toBe("hi");
    expect(await link.packetBytes()).toBe(380);
    expect(await os.info("i")).toBe("qemu_cortex_m0/nrf51822");
    expect(await os.info("s")).toBe("Zephyr");
    await expect(link.request({ operation: "read", group: 64, command: 0 })).rejects.toMatchObject({
      code: "smp.unsupported",
    });
    expect(await statistics.names()).toEqual(["smp_svr_stats"]);
    expect(await statistics.read("smp_svr_stats")).toEqual({ ticks: 3 });
    await expect(statistics.read("nope")).rejects.toMatchObject({ fault: { group: 2, rc: 3 } });
    const [running] = await images.slots();
    expect(running).toMatchObject({ slot: 0, version: "0.0.0", active: true, confirmed: true, bootable: true });
    await expect(images.test(new Uint8Array(32))).rejects.toMatchObject({ fault: { group: 1, rc: 8 } });
    await expect(images.test(running?.hash ?? new Uint8Array())).rejects.toMatchObject({ fault: { group: 1, rc: 33 } });
    const [, uploaded] = await images.slots();
    expect(uploaded).toMatchObject({ slot: 1, version: "1.2.3", active: false, pending: false });
    const hash = uploaded?.hash ?? new Uint8Array();
    expect((await images.test(hash))[1]).toMatchObject({ version: "1.2.3", pending: true });
    await os.reset();
    expect(await images.slots()).toEqual([
      expect.objectContaining({ slot: 0, version: "1.2.3", active: true, confirmed: false }),
      expect.objectContaining({ slot: 1, version: "0.0.0", active: false, confirmed: true }),
    ]);
    expect((await images.confirm(hash))[0]).toMatchObject({ version: "1.2.3", active: true, confirmed: true });
  });
});
