import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { benchPage } from "../../bench/bench-page.ts";
import { type BenchResults, isCounted, type Measurement, missed } from "../../bench/results.ts";
import { RoundTrips, type TripsOfConnection } from "../../bench/round-trips.ts";
import { median } from "../../bench/statistics.ts";

const docs = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), "utf8");

describe("docs/bench.md", () => {
  const results = JSON.parse(docs("bench.json")) as BenchResults;

  test("says what docs/bench.json holds", () => {
    expect(docs("bench.md")).toBe(benchPage(results));
  });

  test("has every budget kept", () => {
    expect(results.measurements.filter(({ budget }) => budget !== undefined)).toHaveLength(7);
    expect(missed(results)).toEqual([]);
  });

  test("is of a run with enough rounds", () => {
    expect(results.rounds).toBeGreaterThanOrEqual(9);
  });
});

describe("what a run of the bench says about budgets", () => {
  const measurement = (unit: Measurement["unit"], ratio: number, budget?: number): Measurement => ({
    what: `${unit} ${ratio}`,
    unit,
    sdk: 1,
    landfall: ratio,
    ratio,
    ...(budget === undefined ? {} : { budget }),
  });

  test("names every measurement above its budget, and not one on it or without any", () => {
    const above = measurement("ms", 0.7, 0.6);
    const measurements = [above, measurement("MB", 0.8, 0.8), measurement("ms", 3), measurement("bytes", 0.1, 1)];
    const results = { schema: "landfall.bench/1", machine: "", versions: "", rounds: 9, bareNodeMs: 40, measurements };
    expect(missed(results as BenchResults)).toEqual([above]);
  });

  test("tells what is counted from what is timed", () => {
    const units = ["ms", "MB", "bytes", "round trips"] as const;
    expect(units.filter((unit) => isCounted(measurement(unit, 1)))).toEqual(["bytes", "round trips"]);
  });
});

describe("the round trips of a client", () => {
  const ask = (connection: TripsOfConnection): void => {
    connection.clientSends()();
    connection.serviceSends()();
  };

  test("are the handshake of TCP, and as many as there were questions that needed the answer before", () => {
    const trips = new RoundTrips();
    const connection = trips.connect();
    for (let question = 1; question <= 3; question++) ask(connection);
    expect(trips.count).toBe(4);
  });

  test("are one for what goes out together, however often it is answered", () => {
    const trips = new RoundTrips();
    const connection = trips.connect();
    for (const arrives of [connection.clientSends(), connection.clientSends()]) {
      arrives();
      connection.serviceSends()();
    }
    expect(trips.count).toBe(2);
  });

  test("do not count an answer that is still under way", () => {
    const trips = new RoundTrips();
    const connection = trips.connect();
    ask(connection);
    connection.clientSends()();
    const arrives = connection.serviceSends();
    expect(trips.count).toBe(2);
    arrives();
    expect(trips.count).toBe(3);
  });

  test("add up over connections, but for what goes on beside", () => {
    const trips = new RoundTrips();
    const first = trips.connect();
    ask(first);
    const farewell = first.clientSends();
    const next = trips.connect();
    farewell();
    first.serviceSends()();
    ask(next);
    expect(trips.count).toBe(4);
  });

  test("are none for what the service says unasked", () => {
    const trips = new RoundTrips();
    trips.connect().serviceSends()();
    expect(trips.count).toBe(0);
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
