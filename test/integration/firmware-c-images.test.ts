import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import type { CborMap } from "../../src/serial/cbor.ts";
import { describeOnBoards, refusal } from "../support/firmware-bench.ts";
import { buildImage } from "../support/image-builder.ts";

describeOnBoards("images", (start) => {
  test("one is tried, reverted when nobody confirms it, and kept over reset and power cut when somebody does", async () => {
    const bench = await start();
    expect(await bench.slots()).toEqual(["1.0.0 active confirmed"]);
    const image = buildImage("1.1.0", { bodyBytes: 9001 });
    expect(await bench.upload(image)).toEqual({ off: image.bytes.length, match: true });
    await bench.write(1, 0, { hash: image.hash, confirm: false });
    expect(await bench.slots()).toEqual(["1.0.0 active confirmed", "1.1.0 pending"]);
    await bench.reset();
    expect(await bench.slots()).toEqual(["1.1.0 active", "1.0.0 confirmed"]);
    expect((await bench.read(0, 7, { format: "v" })).output).toBe("1.1.0");
    await bench.reset();
    expect(await bench.slots()).toEqual(["1.0.0 active confirmed", "1.1.0"]);

    await bench.write(1, 0, { hash: image.hash, confirm: false });
    await bench.reset();
    await bench.write(1, 0, { confirm: true });
    expect(await bench.slots()).toEqual(["1.1.0 active confirmed", "1.0.0"]);
    await bench.reset();
    expect(await bench.slots()).toEqual(["1.1.0 active confirmed", "1.0.0"]);
    await bench.powerOff();
    await bench.powerOn();
    expect(await bench.slots()).toEqual(["1.1.0 active confirmed", "1.0.0"]);
  });

  test("a power cut reverts as a reset does; one for good needs no second word", async () => {
    const bench = await start();
    const image = buildImage("1.1.0");
    await bench.upload(image);
    await bench.write(1, 0, { hash: image.hash, confirm: false });
    await bench.powerOff();
    await bench.powerOn();
    expect(await bench.slots()).toEqual(["1.1.0 active", "1.0.0 confirmed"]);
    await bench.powerOff();
    await bench.powerOn();
    expect(await bench.slots()).toEqual(["1.0.0 active confirmed", "1.1.0"]);
    await bench.write(1, 0, { hash: image.hash, confirm: true });
    expect(await bench.slots()).toEqual(["1.0.0 active confirmed", "1.1.0 pending permanent"]);
    await bench.reset();
    expect(await bench.slots()).toEqual(["1.1.0 active confirmed", "1.0.0"]);
  });

  test.each(["LANDFALL-MCU:hang", "LANDFALL-MCU:crash"])("one that never comes up is reverted: %s", async (marker) => {
    const bench = await start();
    const image = buildImage("6.6.6", { marker });
    await bench.upload(image);
    await bench.write(1, 0, { hash: image.hash, confirm: false });
    await bench.reset();
    expect(bench.lines.all.some((text) => text.includes("going back"))).toBe(true);
    expect(await bench.slots()).toEqual(["1.0.0 active confirmed", "6.6.6"]);
  });

  test("an upload goes on where it was, and takes no piece that does not fit", async () => {
    const bench = await start();
    const image = buildImage("1.1.0", { bodyBytes: 5000 });
    await bench.upload(image, { until: 1001, pieceBytes: 333 });
    // The same piece again, and one from the future.
    expect(await bench.write(1, 1, { off: 999, data: image.bytes.subarray(999, 1001) })).toEqual({ off: 1001 });
    expect(await bench.write(1, 1, { off: 2000, data: image.bytes.subarray(2000, 2100) })).toEqual({ off: 1001 });
    const { sha, bytes } = image;
    expect(await bench.write(1, 1, { off: 0, len: bytes.length, sha, data: bytes.subarray(0, 64) })).toEqual({
      off: 1001,
    });
    expect(await bench.upload(image, { from: 1001 })).toEqual({ off: bytes.length, match: true });
    // The last answer was lost.
    expect(await bench.write(1, 1, { off: bytes.length - 5, data: bytes.subarray(-5) })).toEqual({
      off: bytes.length,
      match: true,
    });
    await bench.reset();
    expect(await bench.write(1, 1, { off: 1001, data: bytes.subarray(1001, 1100) })).toEqual({ off: 0 });
  });

  test("what is no image, too large, older, damaged or unknown is refused", async () => {
    const bench = await start();
    const image = buildImage("1.1.0");
    const first = (change: CborMap) =>
      refusal(bench.write(1, 1, { off: 0, len: image.bytes.length, data: image.bytes.subarray(0, 200), ...change }));
    expect(await first({ data: new Uint8Array(200) })).toEqual({ group: 1, rc: 23 });
    expect(await first({ data: image.bytes.subarray(0, 10) })).toEqual({ group: 1, rc: 22 });
    expect(await first({ len: 0x20000 })).toEqual({ group: 1, rc: 30 });
    expect(await first({ image: 1 })).toEqual({ group: 1, rc: 14 });
    expect(await first({ upgrade: true, data: buildImage("1.0.0").bytes.subarray(0, 200) })).toEqual({
      group: 1,
      rc: 27,
    });
    expect(await first({ upgrade: true })).toBe("no refusal");
    const overrun = new Uint8Array(700);
    let fault: unknown = "no refusal";
    for (let off = 200; fault === "no refusal" && off < 4000; off += 700)
      fault = await refusal(bench.write(1, 1, { off, data: overrun }));
    expect(fault).toEqual({ group: 1, rc: 31 });

    const damaged = { ...image, bytes: Uint8Array.from(image.bytes) };
    damaged.bytes[500] = (damaged.bytes[500] as number) ^ 1;
    expect(await bench.upload(damaged)).toMatchObject({ match: false });
    expect(await refusal(bench.write(1, 0, { hash: image.hash, confirm: false }))).toEqual({ group: 1, rc: 24 });
    expect(await refusal(bench.write(1, 0, { hash: randomBytes(32), confirm: false }))).toEqual({
      group: 1,
      rc: 8,
    });
    const { images } = await bench.read(1, 0);
    const running = (images as CborMap[])[0]?.hash as Uint8Array;
    expect(await refusal(bench.write(1, 0, { hash: running, confirm: false }))).toEqual({ group: 1, rc: 33 });
  });

  test("the image to fall back to is neither erased nor written over", async () => {
    const bench = await start();
    const image = buildImage("1.1.0");
    await bench.upload(image);
    await bench.write(1, 0, { hash: image.hash, confirm: false });
    await bench.reset();
    expect(await refusal(bench.write(1, 5))).toEqual({ group: 1, rc: 9 });
    expect(await refusal(bench.upload(buildImage("1.2.0")))).toEqual({ group: 1, rc: 9 });
    await bench.write(1, 0, { confirm: true });
    await bench.write(1, 5);
    expect(await bench.slots()).toEqual(["1.1.0 active confirmed"]);
  });
});
