import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../../src/emulator/randomness.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { FaultyLink, type FaultyLinkOptions } from "../../../src/testing/faulty-link.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

function collect(link: FaultyLink) {
  const near: Buffer[] = [];
  const far: Buffer[] = [];
  link.near.on("data", (chunk) => void near.push(chunk)).on("error", () => {});
  link.far.on("data", (chunk) => void far.push(chunk)).on("error", () => {});
  return { near: () => Buffer.concat(near), far: () => Buffer.concat(far), pieces: far };
}

async function carried(bytes: Uint8Array, options: FaultyLinkOptions): Promise<{ far: Buffer; link: FaultyLink }> {
  const link = new FaultyLink(options);
  const { far } = collect(link);
  link.near.write(bytes);
  await turn();
  return { far: far(), link };
}

describe("a link without faults", () => {
  test("carries every byte in order, both ways, in pieces of any size", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), fc.integer(), fc.nat(100), async (bytes, seed, most) => {
        const link = new FaultyLink({ random: seededRandom(seed), pieceBytes: most + 1 });
        const { near, far } = collect(link);
        link.near.write(bytes);
        link.far.write(bytes);
        await turn();
        expect([near(), far()]).toEqual([Buffer.from(bytes), Buffer.from(bytes)]);
      }),
      { numRuns: 30 },
    );
  });

  test("cuts what is written", async () => {
    const link = new FaultyLink({ random: seededRandom(1), pieceBytes: 3 });
    const { pieces } = collect(link);
    link.near.write(new Uint8Array(100));
    await turn();
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(3);
  });
});

describe("a paced link", () => {
  test("takes ten bits for a byte, each direction for itself", async () => {
    const clock = new FakeClock();
    const link = new FaultyLink({ clock, baudRate: 115_200, random: seededRandom(1) });
    const { near, far } = collect(link);
    link.near.write(new Uint8Array(11_520));
    link.far.write(new Uint8Array(1_152));
    await clock.advance(100.001);
    expect(near().length).toBe(1_152);
    expect(far().length).toBeGreaterThan(1_152 - 64);
    expect(far().length).toBeLessThanOrEqual(1_152);
    await clock.advance(899.9);
    expect(far().length).toBeLessThan(11_520);
    await clock.advance(0.2);
    expect(far().length).toBe(11_520);
  });

  test("has its writer wait", async () => {
    const clock = new FakeClock();
    const link = new FaultyLink({ clock, baudRate: 9_600 });
    let written = false;
    link.near.write(new Uint8Array(96), () => {
      written = true;
    });
    await clock.advance(99);
    expect(written).toBe(false);
    await clock.advance(1.01);
    expect(written).toBe(true);
  });
});

describe("faults", () => {
  const bytes = new Uint8Array(100_000).fill(0x55);

  test("lose, double and change bytes as often as asked", async () => {
    const { far: shorter } = await carried(bytes, { loss: 0.01, random: seededRandom(1) });
    expect((bytes.length - shorter.length) / 1000).toBeCloseTo(1, 0);
    const { far: longer } = await carried(bytes, { duplication: 0.01, random: seededRandom(2) });
    expect((longer.length - bytes.length) / 1000).toBeCloseTo(1, 0);
    const { far: changed, link } = await carried(bytes, { corruption: 0.01, random: seededRandom(3) });
    const wrong = changed.filter((byte) => byte !== 0x55);
    expect(changed.length).toBe(bytes.length);
    expect(wrong.length / 1000).toBeCloseTo(1, 0);
    // One bit of each.
    expect([...new Set(wrong)].every((byte) => [1, 2, 4, 8, 16, 32, 64, 128].includes(byte ^ 0x55))).toBe(true);
    expect([link.carriedBytes, link.damagedBytes]).toEqual([bytes.length, wrong.length]);
  });

  test("are the same for the same random numbers", async () => {
    const faults = { loss: 0.01, corruption: 0.01, duplication: 0.01 };
    const [one, same, other] = await Promise.all(
      [7, 7, 8].map((seed) => carried(bytes, { ...faults, random: seededRandom(seed) })),
    );
    expect(one?.far.equals(same?.far as Buffer)).toBe(true);
    expect(one?.far.equals(other?.far as Buffer)).toBe(false);
  });

  test("a stall holds everything back until it ends, and loses nothing", async () => {
    const link = new FaultyLink({ stallAfterBytes: 10, pieceBytes: 1 });
    const { near, far } = collect(link);
    link.near.write(new Uint8Array(30));
    await turn();
    link.far.write(new Uint8Array(5));
    await turn();
    expect([far().length, near().length]).toEqual([9, 0]);
    link.resume();
    await turn();
    expect([far().length, near().length]).toEqual([30, 5]);
  });

  test("hanging up breaks both ends, what is under way is lost", async () => {
    const link = new FaultyLink({ hangUpAfterBytes: 20, pieceBytes: 1 });
    const { far } = collect(link);
    const closed = Promise.all(
      [link.near, link.far].map((end) => new Promise((resolve) => end.once("close", resolve))),
    );
    link.near.write(new Uint8Array(30));
    await closed;
    expect(far().length).toBe(19);
  });
});

test("can lie between two streams", async () => {
  const outer = new FaultyLink();
  const inner = new FaultyLink();
  outer.far.pipe(inner.near).pipe(outer.far);
  const { near } = collect(outer);
  const { far } = collect(inner);
  outer.near.write("there");
  inner.far.write("back");
  await turn();
  await turn();
  expect([far().toString(), near().toString()]).toEqual(["there", "back"]);
});
