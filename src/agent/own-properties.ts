import type { DesiredChange } from "../hub/desired-document.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import { version } from "../version.ts";

/** The part of the twin that is the agent's own, in desired and in reported properties: a component of this name. */
const component = "landfall";

/** Bounds of the interval that the twin may set, in seconds; 0 turns system telemetry off. */
const [shortestSeconds, longestSeconds] = [1, 86_400];

/** What a change of the desired properties asks of the agent itself. */
export interface OwnChange {
  /** Between two system messages, in milliseconds; `configured`: back to what the configuration says. Absent: refused. */
  readonly intervalMs?: number | "configured";
  /** What to report. */
  readonly report: JsonObject;
}

/** What the twin says about the agent: its version and the runtime's. What an earlier run acknowledged is taken back. */
export function introduction(): JsonObject {
  return own({ version, node: process.versions.node, telemetryInterval: null });
}

/**
 * Reads `landfall.telemetryInterval` (seconds) from a change. The report has the form in which Plug and Play devices
 * acknowledge a property: value, status, and the version that set it.
 * @returns `undefined` when the change does not concern the agent
 */
export function readOwnChange({ patch, version: setBy }: DesiredChange): OwnChange | undefined {
  const mine = patch[component];
  // Whoever deletes the component deletes the property.
  const value = mine === null ? null : isJsonObject(mine) ? mine.telemetryInterval : undefined;
  if (value === undefined) return undefined;
  if (value === null) return { intervalMs: "configured", report: own({ telemetryInterval: null }) };
  const answer = (ac: number, ad: string): JsonObject => own({ telemetryInterval: { value, ac, ad, av: setBy } });
  const fits = typeof value === "number" && (value === 0 || (value >= shortestSeconds && value <= longestSeconds));
  return fits
    ? { intervalMs: value * 1000, report: answer(200, "applied") }
    : { report: answer(400, `expected 0 or ${shortestSeconds} to ${longestSeconds} seconds`) };
}

/** Marked as a component, by which Plug and Play tells it from a property with an object as its value. */
const own = (properties: JsonObject): JsonObject => ({ [component]: { __t: "c", ...properties } });
