import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { seededRandom } from "../../../src/emulator/randomness.ts";
import { framedBytes } from "../../../src/serial/console-frames.ts";
import { type UploadProgress, uploadImage } from "../../../src/serial/firmware/image-upload.ts";
import { bestPacketBytes, UploadPace } from "../../../src/serial/firmware/upload-pace.ts";
import { SmpLink } from "../../../src/serial/smp-link.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import type { FaultyLinkOptions } from "../../../src/testing/faulty-link.ts";
import { ScriptedMcu } from "../../support/scripted-mcu.ts";
import { UploadTarget } from "../../support/upload-target.ts";

const open: SmpLink[] = [];
afterEach(async () => {
  for (const link of open.splice(0)) await link.close();
});

const image = Buffer.from(Array.from({ length: 20_000 }, (_, index) => (index * 7) & 0xff));

async function scene(quality: FaultyLinkOptions = {}, bufferBytes = 384) {
  const clock = new FakeClock();
  const mcu = new ScriptedMcu({ clock, random: seededRandom(1), ...quality });
  mcu.on("0/6", () => ({ buf_size: bufferBytes }));
  const target = new UploadTarget(mcu);
  const link = await SmpLink.start({ port: mcu.port, clock, random: () => 0.5 });
  open.push(link);
  const seen: UploadProgress[] = [];
  const start = (bytes: Uint8Array = image, signal?: AbortSignal) =>
    uploadImage(link, bytes, { clock, signal, onProgress: (progress) => void seen.push(progress) });
  return { clock, mcu, target, link, seen, start };
}

/** Lets time pass until a promise has settled; tells how much did. */
async function timeUntil(promise: Promise<unknown>, clock: FakeClock, stepMs = 1000): Promise<number> {
  const from = clock.elapsed();
  let settled: number | undefined;
  const note = () => {
    settled = clock.elapsed() - from;
  };
  promise.then(note, note);
  while (settled === undefined) await clock.advance(stepMs);
  return settled;
}

describe("an upload", () => {
  test("sends the image in order, tells length and hash first, and how far it is", async () => {
    const { mcu, target, seen, start } = await scene();
    await start();
    expect(target.received.equals(image)).toBe(true);
    const [first, second] = mcu.bodies("1/1");
    expect(Object.keys(first ?? {})).toEqual(["image", "len", "sha", "off", "data"]);
    expect(Object.keys(second ?? {})).toEqual(["off", "data"]);
    expect(seen[0]).toEqual({ receivedBytes: 0, totalBytes: image.length });
    expect(seen.at(-1)).toEqual({ receivedBytes: image.length, totalBytes: image.length });
  });

  test("never makes a packet longer than the MCU takes", async () => {
    const { mcu, start } = await scene({}, 200);
    const lengths: number[] = [];
    const { encode } = await import("cborg");
    await start(image.subarray(0, 5000));
    for (const body of mcu.bodies("1/1")) lengths.push(8 + encode(body).length);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(196);
    expect(Math.max(...lengths)).toBeGreaterThan(150);
  });

  test("is taken up where the MCU has got to", async () => {
    const { mcu, target, start } = await scene();
    await start(image);
    target.received = target.received.subarray(0, 12_345);
    const before = target.pieces;
    await start(image);
    expect(target.received.equals(image)).toBe(true);
    expect(mcu.bodies("1/1")[before + 1]).toMatchObject({ off: 12_345 });
  });

  test("is damaged when the MCU says that it has something else than was sent", async () => {
    const { target, start } = await scene();
    target.match = false;
    await expect(start()).rejects.toMatchObject({ code: "firmware.damaged" });
    target.forget();
    target.match = true;
    await start();
    expect(target.received.equals(image)).toBe(true);
  });

  test("goes on after the port went away in the middle", async () => {
    const { clock, mcu, target, start } = await scene({ hangUpAfterBytes: 9_000 });
    const done = start();
    await mcu.port.opened(1);
    await clock.advance(100);
    mcu.port.quality = {};
    await timeUntil(done, clock);
    expect(target.received.equals(image)).toBe(true);
    expect(mcu.port.attempts).toBe(2);
    // Not from the beginning.
    expect(mcu.bodies("1/1").filter(({ off }) => off === 0)).toHaveLength(1);
  });

  test("begins anew, hash and all, when the MCU has forgotten it", async () => {
    const { mcu, target, start, clock } = await scene();
    const take = mcu.answers.get("1/1");
    mcu.on("1/1", (packet) => {
      if (target.pieces === 10) target.forget();
      return take?.(packet);
    });
    await timeUntil(start(), clock);
    expect(target.received.equals(image)).toBe(true);
    expect(mcu.bodies("1/1").filter(({ off }) => off === 0)).toHaveLength(2);
  });

  test("begins anew when the MCU refuses to go on", async () => {
    const { mcu, target, start } = await scene();
    const take = mcu.answers.get("1/1");
    let forgotten = false;
    mcu.on("1/1", (packet) => {
      if (target.pieces === 10 && !forgotten) {
        forgotten = true;
        target.forget();
      }
      const goesOn = packet.body.off !== 0;
      return forgotten && goesOn && target.received.length === 0 ? { err: { group: 1, rc: 20 } } : take?.(packet);
    });
    await start();
    expect(target.received.equals(image)).toBe(true);
    expect(mcu.bodies("1/1").filter(({ off }) => off === 0)).toHaveLength(2);
  });

  test("ends with the refusal of an MCU that does not want it", async () => {
    const { mcu, start } = await scene();
    mcu.on("1/1", () => ({ err: { group: 1, rc: 30 } }));
    await expect(start()).rejects.toMatchObject({ code: "smp.refused", message: expect.stringContaining("too large") });
  });

  test("ends when the MCU asks for the same again and again", async () => {
    const { mcu, start } = await scene();
    mcu.on("1/1", () => ({ off: 0 }));
    await expect(start()).rejects.toMatchObject({ code: "smp.malformed" });
    mcu.on("1/1", () => ({ off: image.length + 1 }));
    await expect(start()).rejects.toMatchObject({ code: "smp.malformed" });
  });

  test("ends after a minute of silence", async () => {
    const { mcu, start, clock } = await scene();
    let pieces = 0;
    const take = mcu.answers.get("1/1");
    mcu.on("1/1", (packet) => (++pieces > 5 ? undefined : take?.(packet)));
    const done = start();
    const failed = expect(done).rejects.toMatchObject({ code: "smp.timeout" });
    const tookMs = await timeUntil(done, clock);
    await failed;
    expect(tookMs).toBeGreaterThan(60_000);
    expect(tookMs).toBeLessThan(70_000);
  });

  test("ends after a minute in which all answers came damaged", async () => {
    const { mcu, start, clock } = await scene();
    mcu.on("1/1", () => void mcu.write("\x06\x09***\n") as never);
    const done = start();
    const failed = expect(done).rejects.toMatchObject({ code: "smp.timeout" });
    const tookMs = await timeUntil(done, clock);
    await failed;
    expect(tookMs).toBeGreaterThanOrEqual(60_000);
    expect(tookMs).toBeLessThan(70_000);
  });

  test("can be abandoned", async () => {
    const { mcu, start } = await scene();
    const abandon = new AbortController();
    mcu.on("1/1", () => void abandon.abort(new Error("enough")) as never);
    await expect(start(image, abandon.signal)).rejects.toThrow("enough");
  });
});

describe("over a line of 115 200 baud", () => {
  /** Bytes a second that the framing leaves of the line: 93 of every 127. */
  const lineBytesPerSecond = (115_200 / 10) * (93 / 127);
  const paced: FaultyLinkOptions = { baudRate: 115_200, pieceBytes: 32 };

  test.each([
    [384, 0.85],
    [512, 0.87],
    [1024, 0.92],
    [2048, 0.95],
  ])("a buffer of %i bytes is enough for %d of what the line can carry", async (bufferBytes, share) => {
    const { clock, link, start } = await scene(paced, bufferBytes);
    await timeUntil(link.packetBytes(), clock, 1);
    const tookMs = await timeUntil(start(), clock, 10);
    expect(image.length / (tookMs / 1000) / lineBytesPerSecond).toBeGreaterThan(share);
  });

  test.each([0.0001, 0.001, 0.003])(
    "and a share of %d of all bytes lost, it still arrives, in reasonable time",
    async (loss) => {
      const { clock, mcu, target, start } = await scene({ ...paced, loss });
      const tookMs = await timeUntil(start(), clock);
      expect(target.received.equals(image)).toBe(true);
      const linesMs = (framedBytes(image.length) / 11_520) * 1000;
      expect(tookMs / linesMs).toBeLessThan(loss < 0.001 ? 1.5 : loss < 0.003 ? 2.2 : 4.5);
      expect(mcu.port.link.damagedBytes).toBeGreaterThan(0);
    },
  );

  test("corruption and duplication do not change what arrives", async () => {
    const { clock, target, start } = await scene({ ...paced, corruption: 0.0007, duplication: 0.0007, loss: 0.0007 });
    await timeUntil(start(), clock);
    expect(target.received.equals(image)).toBe(true);
  });
});

describe("the pace of an upload", () => {
  test("chooses the packet that carries most for the line it takes", () => {
    const share = (bytes: number) => (bytes - 26) / (framedBytes(bytes) + 35);
    for (let limit = 150; limit < 600; limit++) {
      const shares = Array.from({ length: 93 }, (_, less) => share(limit - less));
      expect(share(bestPacketBytes(limit))).toBe(Math.max(...shares));
      expect(bestPacketBytes(limit)).toBeLessThanOrEqual(limit);
    }
    // 369 bytes with length and CRC are four full frames and one byte.
    expect(bestPacketBytes(369)).toBeLessThan(369);
  });

  test("chooses shorter packets, of full frames, the more bytes a line spoils", () => {
    const lengths = [0, 0.0001, 0.0005, 0.001, 0.003, 0.01].map((share) => bestPacketBytes(1020, share));
    expect(lengths).toEqual([1019, 647, 275, 182, 128, 128]);
    fc.assert(
      fc.property(fc.integer({ min: 60, max: 8188 }), fc.double({ min: 0, max: 0.02, noNaN: true }), (limit, share) => {
        const best = bestPacketBytes(limit, share);
        expect(best).toBeGreaterThan(26);
        expect(best).toBeLessThanOrEqual(bestPacketBytes(limit, 0));
      }),
    );
  });

  test("begins with a short piece, which may have a second for its answer", () => {
    const pace = new UploadPace(380);
    expect(pace.next(true)).toEqual({ isFirst: true, packetBytes: 128, timeoutMs: 1_000 });
    pace.answered(pace.next(true), 2_000);
    expect(pace.next(false)).toMatchObject({ packetBytes: bestPacketBytes(380), timeoutMs: 1_000 });
    // It took no longer than it had to: so the next will not either.
    pace.answered(pace.next(true), 15);
    const { timeoutMs } = new Taught(15).next(false);
    expect(timeoutMs).toBeGreaterThan(40);
    expect(timeoutMs).toBeLessThan(200);
    expect(new UploadPace(60).next(true).packetBytes).toBe(60);
  });

  test("waits according to what answers took, for longer after losses that the line does not explain", () => {
    const pace = new Taught(15);
    for (let time = 0; time < 30; time++) pace.answered(pace.next(false), 50);
    expect(pace.next(false).timeoutMs).toBeCloseTo(90, 0);
    pace.lost(pace.next(false));
    const once = pace.next(false).timeoutMs;
    expect(once).toBeLessThan(91);
    for (let time = 0; time < 12; time++) pace.lost(pace.next(false));
    const { timeoutMs } = pace.next(false);
    expect(timeoutMs).toBeGreaterThanOrEqual(8 * 30);
    expect(timeoutMs).toBeLessThanOrEqual(8_000);
    // The first piece of an upload that begins anew has its second, whatever the others took.
    pace.answered(pace.next(false), 50);
    expect(pace.next(true).timeoutMs).toBe(1_000);
    expect(pace.next(false).timeoutMs).toBeLessThan(100);
  });

  test("shortens packets where pieces are lost again and again, and lengthens them where no more are", () => {
    const pace = new UploadPace(1020);
    const full = pace.next(false).packetBytes;
    expect(full).toBe(bestPacketBytes(1020));
    for (let time = 0; time < 100; time++) {
      if (time % 3 === 0) pace.lost(pace.next(false));
      else pace.answered(pace.next(false), 50);
    }
    expect(pace.next(false).packetBytes).toBeLessThan(300);
    for (let time = 0; time < 500; time++) pace.answered(pace.next(false), 50);
    expect(pace.next(false).packetBytes).toBe(full);
  });

  test("takes a long silence for the MCU's, and not for the line's", () => {
    const pace = new UploadPace(1020);
    for (let time = 0; time < 50; time++) pace.answered(pace.next(false), 50);
    for (let time = 0; time < 20; time++) pace.lost(pace.next(false));
    expect(pace.next(false).packetBytes).toBeGreaterThan(500);
  });
});

/** A pace whose first piece was answered after so many milliseconds. */
class Taught extends UploadPace {
  constructor(firstMs: number) {
    super(380);
    this.answered(this.next(true), firstMs);
  }
}
