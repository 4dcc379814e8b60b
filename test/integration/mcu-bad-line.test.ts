import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { type BadLineFigures, leastSlowdown, measureBadLine } from "../support/bad-line.ts";

const page = new URL("../../docs/mcu.md", import.meta.url);
const [clean, oneInAThousand, threeInAThousand] = [0, 0.001, 0.003];
const shares = [clean, oneInAThousand, threeInAThousand];
const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

const measured = new Map<number, BadLineFigures>();
beforeAll(async () => {
  for (const share of shares) measured.set(share, await measureBadLine(share, seeds));
});

function figures(share: number): BadLineFigures {
  return measured.get(share) as BadLineFigures;
}

function meanMs({ uploadsMs }: BadLineFigures): number {
  return uploadsMs.reduce((sum, each) => sum + each, 0) / uploadsMs.length;
}

/** How many times as long as on a clean line uploads take. */
function slowdown(share: number): number {
  return meanMs(figures(share)) / meanMs(figures(clean));
}

test.each(shares)("a thousand slot lists are all answered where a share of %d of all bytes is spoilt", (share) => {
  expect(figures(share)).toMatchObject({ lists: 1_000, failedLists: 0 });
});

test.each([
  [oneInAThousand, 1.1],
  [threeInAThousand, 1.4],
])("with a share of %d spoilt, an upload takes less than %d times what it has to", (share, times) => {
  expect(slowdown(share)).toBeGreaterThan(1);
  expect(slowdown(share)).toBeLessThan(times * leastSlowdown(share));
});

test("and no upload is much slower than others", () => {
  for (const share of shares) {
    const { uploadsMs } = figures(share);
    expect(Math.max(...uploadsMs)).toBeLessThan(1.2 * Math.min(...uploadsMs));
  }
});

test("docs/mcu.md has the figures (UPDATE_DOCS=1 rewrites them)", () => {
  const table = [
    "| bytes spoilt | slot lists that fail | a slot list takes | an upload takes | times a clean line's | at least |",
    "|---|---|---|---|---|---|",
    ...shares.map((share) => {
      const { lists, failedLists, listMs } = figures(share);
      const spoilt = share === 0 ? "none" : `${share * 100} %`;
      const upload = `${(meanMs(figures(share)) / 1_000).toFixed(1)} s`;
      const times = `${slowdown(share).toFixed(2)} | ${leastSlowdown(share).toFixed(2)}`;
      return `| ${spoilt} | ${failedLists} of ${lists} | ${listMs.toFixed(0)} ms | ${upload} | ${times} |`;
    }),
  ].join("\n");
  const text = readFileSync(page, "utf8");
  if (process.env.UPDATE_DOCS) writeFileSync(page, text.replace(/^\| bytes spoilt .*(\n\|.*)*/m, table));
  expect(readFileSync(page, "utf8")).toContain(`\n${table}\n\n`);
});
