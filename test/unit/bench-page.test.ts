import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { benchPage } from "../../bench/bench-page.ts";
import type { BenchResults } from "../../bench/results.ts";
import { median } from "../../bench/statistics.ts";

const docs = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), "utf8");

describe("docs/bench.md", () => {
  const results = JSON.parse(docs("bench.json")) as BenchResults;

  test("says what docs/bench.json holds", () => {
    expect(docs("bench.md")).toBe(benchPage(results));
  });

  test("has every budget kept", () => {
    const budgeted = results.measurements.filter(({ budget }) => budget !== undefined);
    expect(budgeted).toHaveLength(5);
    for (const { what, ratio, budget = 0 } of budgeted) expect(ratio, what).toBeLessThanOrEqual(budget);
  });
});

describe("the median", () => {
  test.each([
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2],
    [[7], 7],
  ])("of %j is %i", (numbers, expected) => {
    expect(median(numbers)).toBe(expected);
  });

  test("of nothing is nothing", () => {
    expect(() => median([])).toThrow();
  });
});
