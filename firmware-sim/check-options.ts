import { LandfallError } from "../src/errors.ts";
import type { SimulatedMcuOptions } from "./options.ts";

type NumberName = "bufferBytes" | "startMs" | "eraseMs" | "watchdogMs" | "seed";

const ranges: Readonly<Record<NumberName, readonly [number, number]>> = {
  bufferBytes: [256, 8192],
  startMs: [0, 600_000],
  eraseMs: [0, 600_000],
  watchdogMs: [1, 600_000],
  seed: [0, Number.MAX_SAFE_INTEGER],
};

/** Throws `simulator.rejected`, which tells every number that is out of its range. */
export function checkOptions(options: SimulatedMcuOptions): void {
  const faults = Object.entries(ranges).flatMap(([name, [least, most]]) => {
    const value = options[name as NumberName];
    if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return [];
    return [`${name}: expected a whole number from ${least} to ${most}, got ${value}`];
  });
  if (faults.length > 0) throw new LandfallError("simulator.rejected", faults.join("; "), { details: faults });
}
