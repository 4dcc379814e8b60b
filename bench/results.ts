/** What a run of the bench has measured; `docs/bench.json` holds one. */
export interface BenchResults {
  readonly schema: "landfall.bench/1";
  readonly machine: string;
  /** Names and versions of what was compared. */
  readonly versions: string;
  /** How often everything that takes time was run, one after the other in turn. */
  readonly rounds: number;
  /** From the start to the end of a Node that does nothing, milliseconds: what no device can be below. */
  readonly bareNodeMs: number;
  readonly measurements: readonly Measurement[];
}

/** One thing that was measured of both. */
export interface Measurement {
  readonly what: string;
  readonly unit: "ms" | "MB" | "bytes" | "round trips";
  readonly sdk: number;
  readonly landfall: number;
  /** landfall's part of the SDK's. */
  readonly ratio: number;
  /** The largest ratio that is good; absent where none was set. */
  readonly budget?: number;
}

/** What is above its budget. */
export function missed({ measurements }: BenchResults): readonly Measurement[] {
  return measurements.filter(({ ratio, budget }) => budget !== undefined && ratio > budget);
}

/** Whether a measurement comes out the same on every machine, however busy. */
export function isCounted({ unit }: Measurement): boolean {
  return unit === "bytes" || unit === "round trips";
}
