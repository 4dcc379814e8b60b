import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatDuration, parseDuration } from "../../../src/config/duration.ts";

describe("a duration", () => {
  test.each([
    [90, 90_000],
    [0.5, 500],
    [0, 0],
    ["0s", 0],
    ["45s", 45_000],
    ["10m", 600_000],
    ["1h", 3_600_000],
    ["1h30m", 5_400_000],
    ["1d2h3m4s5ms", 93_784_005],
    ["250ms", 250],
    [" 5s ", 5000],
  ])("%j is %i ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    "",
    " ",
    "5",
    "s",
    "5 s",
    "-5s",
    "1.5h",
    "5s1m",
    "5s5s",
    "5min",
    "1e3s",
    -1,
    Number.NaN,
    Infinity,
    1e300,
    null,
    [],
    {},
    true,
  ])("%j is none", (value) => {
    expect(parseDuration(value)).toBeUndefined();
  });

  test("is read back as it was formatted", () => {
    fc.assert(
      fc.property(fc.nat(), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });

  test("is formatted in the largest unit that fits", () => {
    expect([0, 500, 45_000, 240_000, 5_400_000, 3_600_000, 86_400_000].map(formatDuration)).toEqual([
      "0s",
      "500ms",
      "45s",
      "4m",
      "90m",
      "1h",
      "1d",
    ]);
  });
});
