import { expect, test } from "vitest";
import { bytesFrom, secureRandom, seededRandom, uuidFrom } from "../../../src/emulator/randomness.ts";

test("the same seed gives the same numbers, another seed others", () => {
  const series = (seed: number): string => bytesFrom(seededRandom(seed), 32).toString("hex");
  expect(series(7)).toBe(series(7));
  expect(series(7)).not.toBe(series(8));
});

test.each([
  ["seeded", seededRandom(1)],
  ["secure", secureRandom],
] as const)("%s numbers are in [0, 1) and spread", (_, random) => {
  const numbers = Array.from({ length: 2000 }, random);
  expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  expect(mean).toBeGreaterThan(0.4);
  expect(mean).toBeLessThan(0.6);
});

test("a UUID has the form of version 4", () => {
  for (let seed = 0; seed < 100; seed++) {
    expect(uuidFrom(seededRandom(seed))).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  }
});
