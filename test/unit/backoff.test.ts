import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Backoff } from "../../src/backoff.ts";

describe("Backoff", () => {
  test("with the highest draw doubles from the base up to the cap", () => {
    const backoff = new Backoff({ baseMs: 100, capMs: 1000, random: () => 1 });
    expect([1, 2, 3, 4, 5, 6].map(() => backoff.next())).toEqual([100, 200, 400, 800, 1000, 1000]);
  });

  test("a success starts it over", () => {
    const backoff = new Backoff({ baseMs: 100, random: () => 1 });
    backoff.next();
    backoff.next();
    backoff.reset();
    expect(backoff.failures).toBe(0);
    expect(backoff.next()).toBe(100);
  });

  test("no delay is negative or above the cap, however long it fails", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 2000 }), (draws) => {
        const source = draws.values();
        const backoff = new Backoff({ baseMs: 1000, capMs: 60_000, random: () => source.next().value ?? 0 });
        for (const _ of draws) {
          const delay = backoff.next();
          expect(delay >= 0 && delay <= 60_000).toBe(true);
        }
      }),
    );
  });
});
