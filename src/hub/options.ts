import { LandfallError } from "../errors.ts";
import type { ConnectionPolicy } from "./setbacks.ts";

/** Figures of a hub session; every one has a default. */
export interface HubSessionOptions extends ConnectionPolicy {
  /** Telemetry messages that may be on the wire, not yet acknowledged, at one time. 1 to 1000, default 32. */
  readonly telemetryWindow: number;
  /** Longest time for one attempt to connect, in milliseconds. At least 1000, default 60 000. */
  readonly connectTimeoutMs: number;
  /** Longest time that a planned reconnect waits for what is under way, in milliseconds. At least 0, default 30 000. */
  readonly renewalTimeoutMs: number;
  /** Longest time that closing waits for what is under way, in milliseconds. At least 0, default 3000. */
  readonly closeTimeoutMs: number;
}

interface Range {
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

const dayMs = 86_400_000;

const ranges: Readonly<Record<keyof HubSessionOptions, Range>> = {
  telemetryWindow: { default: 32, min: 1, max: 1000 },
  connectTimeoutMs: { default: 60_000, min: 1000, max: dayMs },
  renewalTimeoutMs: { default: 30_000, min: 0, max: dayMs },
  closeTimeoutMs: { default: 3000, min: 0, max: dayMs },
  backoffBaseMs: { default: 1000, min: 1, max: dayMs },
  backoffCapMs: { default: 60_000, min: 1, max: dayMs },
  provenAfterMs: { default: 60_000, min: 1, max: dayMs },
  provisionAfterFailures: { default: 10, min: 1, max: 1_000_000 },
  displacedAfter: { default: 3, min: 2, max: 100 },
  displacedWindowMs: { default: 600_000, min: 1, max: dayMs },
  displacedBaseMs: { default: 300_000, min: 1, max: dayMs },
  displacedCapMs: { default: 1_800_000, min: 1, max: dayMs },
};

/** Fills in the defaults. Throws `config.invalid`, with every fault in its details, for figures out of their range. */
export function resolveOptions(given: Partial<HubSessionOptions> = {}): HubSessionOptions {
  const names = Object.keys(ranges) as (keyof HubSessionOptions)[];
  const resolved = Object.fromEntries(names.map((name) => [name, given[name] ?? ranges[name].default]));
  const faults = names.flatMap((name) => fault(name, resolved[name], ranges[name]));
  if (faults.length > 0) {
    throw new LandfallError("config.invalid", `options of the hub session: ${faults.join("; ")}`, { details: faults });
  }
  return Object.freeze(resolved as Record<keyof HubSessionOptions, number>);
}

function fault(name: string, value: unknown, { min, max }: Range): string[] {
  const fits = Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
  return fits ? [] : [`${name}: expected a whole number from ${min} to ${max}, found ${String(value)}`];
}
