import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  afterPoll,
  nextPollAtMs,
  type PollHistory,
  pollDelayMs,
  retryDelayMs,
  throttleDelayMs,
} from "../../../src/provisioning/pace.ts";

describe("the delay before a poll", () => {
  test.each([
    ["what the service named", 7000, 7000],
    ["2 s when it named nothing", undefined, 2000],
    ["2 s when what it named is no number", Number.NaN, 2000],
    ["at least 1 s", 0, 1000],
    ["at least 1 s, also when it is negative", -5000, 1000],
    ["at most 300 s", 86_400_000, 300_000],
    ["at most 300 s, also when it is endless", Number.POSITIVE_INFINITY, 300_000],
  ])("is %s", (_, named, expected) => {
    expect(pollDelayMs(named)).toBe(expected);
  });
});

describe("the delay after a failure", () => {
  const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  test("is never shorter than the service named, and never more than a minute longer", () => {
    fc.assert(
      fc.property(fc.nat(2000), draw, fc.integer({ min: 1000, max: 300_000 }), (failures, chance, named) => {
        for (const delay of [retryDelayMs(failures, chance, named), throttleDelayMs(failures, chance, named)]) {
          expect(delay).toBeGreaterThanOrEqual(named);
          expect(delay).toBeLessThanOrEqual(named + 60_000);
        }
      }),
    );
  });

  test("spreads devices that were sent away with the same named delay over as much again", () => {
    expect([0, 0.5, 0.999_999].map((draw) => throttleDelayMs(0, draw, 5000))).toEqual([5000, 7500, 10_000]);
  });

  test("without a named delay grows from 1 s up to 60 s", () => {
    expect([0, 1, 2, 10].map((failures) => retryDelayMs(failures, 0.999_999, undefined))).toEqual([
      1000, 2000, 4000, 60_000,
    ]);
  });

  test("leaves a throttling service that names no delay alone for at least a second", () => {
    expect(throttleDelayMs(0, 0, undefined)).toBe(1000);
    expect(throttleDelayMs(0, 0.999_999, undefined)).toBe(11_000);
    expect(throttleDelayMs(9, 0.999_999, undefined)).toBe(61_000);
  });
});

describe("the poll history", () => {
  test("allows five polls, then the next one 10 s after the first", () => {
    let history: PollHistory = [];
    for (const atMs of [0, 1000, 2000, 3000]) history = afterPoll(history, atMs);
    expect(nextPollAtMs(history)).toBe(-Infinity);
    history = afterPoll(history, 4000);
    expect(nextPollAtMs(history)).toBe(10_000);
    history = afterPoll(history, 10_000);
    expect(nextPollAtMs(history)).toBe(11_000);
  });
});
