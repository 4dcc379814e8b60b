import type { Clock } from "../clock.ts";
import type { Settings } from "../config/settings.ts";
import { describeCause } from "../errors.ts";
import type { DesiredChange } from "../hub/desired-document.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import type { Logger } from "../log.ts";
import { version } from "../version.ts";
import type { Agent } from "./agent.ts";
import { runMethodCommand } from "./method-command.ts";
import { systemSnapshot } from "./system-telemetry.ts";

/** Parts of {@link startDuties}. */
export interface DutiesParts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told what was done; `landfall run --json` prints it. */
  readonly tell: (event: DutyEvent) => void;
}

/** Something that the agent did by itself. */
export type DutyEvent =
  | { readonly event: "telemetry-acknowledged"; readonly kind: "system" }
  | { readonly event: "method-answered"; readonly name: string; readonly status: number }
  | { readonly event: "desired-changed"; readonly version: number; readonly patch: JsonObject };

/** The part of the twin that is the agent's own, in desired and in reported properties. */
const component = "landfall";

/** Bounds of the interval that the twin may set, in seconds; 0 turns system telemetry off. */
const [shortestSeconds, longestSeconds] = [1, 86_400];

/**
 * What an agent does by itself under `landfall run`: system telemetry at an interval, direct methods that run configured
 * commands, the method `reprovision`, and the desired property `landfall.telemetryInterval` (seconds).
 *
 * Set up before the agent starts; ends when `signal` aborts or the agent is closed. Resolves when everything has ended.
 * Throws `hub.method-exists` when a method is taken already.
 */
export function startDuties(agent: Agent, parts: DutiesParts, signal: AbortSignal): Promise<void> {
  const { settings, tell } = parts;
  for (const [name, command] of Object.entries(settings.methods)) {
    agent.onMethod(
      name,
      async ({ payload }, { signal: deadline }) => {
        const response = await runMethodCommand(command, payload, { signal: deadline });
        tell({ event: "method-answered", name, status: response.status });
        return response;
      },
      // The command's own limit comes first, so that its output still reaches the caller.
      { timeoutMs: command.timeoutMs + 5000 },
    );
  }
  agent.onMethod("reprovision", () => {
    // The answer has to leave over the present connection, before a move may end it.
    setImmediate(() => {
      agent.provision({ signal }).catch((error: unknown) => {
        if (!signal.aborted) parts.log.warn(`provisioning on request failed: ${describeCause(error)}`);
      });
    });
    tell({ event: "method-answered", name: "reprovision", status: 202 });
    return { status: 202, payload: { message: "asking DPS" } };
  });
  const interval = new Interval(settings.telemetry.intervalMs);
  return Promise.all([
    introduce(agent, parts, signal),
    sendSystemTelemetry(agent, interval, parts, signal),
    followDesired(agent, interval, parts, signal),
  ]).then(() => {});
}

/** Says in the twin which agent this is. */
async function introduce(agent: Agent, { log }: DutiesParts, signal: AbortSignal): Promise<void> {
  try {
    await agent.report({ [component]: { version, node: process.versions.node } }, { signal });
  } catch (error) {
    if (!signal.aborted) log.warn(`the twin does not say which agent this is: ${describeCause(error)}`);
  }
}

/** An interval that can change while somebody waits for it. */
class Interval {
  #ms: number;
  #changed = new AbortController();

  readonly #configuredMs: number;

  constructor(configuredMs: number) {
    this.#configuredMs = configuredMs;
    this.#ms = configuredMs;
  }

  /** @param ms absent: back to what the configuration says */
  set(ms: number = this.#configuredMs): void {
    this.#ms = ms;
    this.#changed.abort();
    this.#changed = new AbortController();
  }

  /** Resolves after one interval, measured from the latest change. Rejects with `signal.reason`. */
  async pass(clock: Clock, signal: AbortSignal): Promise<void> {
    for (;;) {
      const changed = this.#changed.signal;
      const ms = this.#ms === 0 ? Number.MAX_SAFE_INTEGER : this.#ms;
      try {
        return await clock.sleep(ms, { signal: AbortSignal.any([signal, changed]) });
      } catch (error) {
        signal.throwIfAborted();
        if (!changed.aborted) throw error;
      }
    }
  }
}

async function sendSystemTelemetry(
  agent: Agent,
  interval: Interval,
  { settings, clock, log, tell }: DutiesParts,
  signal: AbortSignal,
): Promise<void> {
  try {
    if (settings.telemetry.intervalMs === 0) await interval.pass(clock, signal);
    for (;;) {
      await agent.send(await systemSnapshot(), { properties: { kind: "system" }, signal });
      tell({ event: "telemetry-acknowledged", kind: "system" });
      await interval.pass(clock, signal);
    }
  } catch (error) {
    if (!signal.aborted) log.debug(`system telemetry ended: ${describeCause(error)}`);
  }
}

async function followDesired(
  agent: Agent,
  interval: Interval,
  { log, tell }: DutiesParts,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const change of agent.desiredChanges({ signal })) {
      tell({ event: "desired-changed", version: change.version, patch: change.patch });
      const report = applyOwnProperties(change, interval);
      if (report) await agent.report({ [component]: report }, { signal });
    }
  } catch (error) {
    if (!signal.aborted) log.warn(`no longer following the twin: ${describeCause(error)}`);
  }
}

/** Applies what a change says about the agent itself; returns what to report, in the form of Plug and Play answers. */
function applyOwnProperties(
  { patch, version: desiredVersion }: DesiredChange,
  interval: Interval,
): JsonObject | undefined {
  const own = patch[component];
  if (!isJsonObject(own) || !("telemetryInterval" in own)) return undefined;
  const value: JsonValue = own.telemetryInterval ?? null;
  if (value === null) {
    interval.set();
    return { telemetryInterval: null };
  }
  const fits = typeof value === "number" && (value === 0 || (value >= shortestSeconds && value <= longestSeconds));
  if (fits) interval.set(value * 1000);
  const verdict = fits
    ? { ac: 200, ad: "applied" }
    : { ac: 400, ad: `expected 0 or ${shortestSeconds} to ${longestSeconds} seconds` };
  return { telemetryInterval: { value, av: desiredVersion, ...verdict } };
}
