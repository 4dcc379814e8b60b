import type { Clock } from "../clock.ts";
import type { Settings } from "../config/settings.ts";
import { describeCause, isLandfallError } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import type { Logger } from "../log.ts";
import { AdjustableInterval } from "./adjustable-interval.ts";
import type { Agent } from "./agent.ts";
import type { McuDuties, McuDutyEvent } from "./mcu/mcu-duties.ts";
import { runMethodCommand } from "./method-command.ts";
import { introduction, readOwnChange } from "./own-properties.ts";
import { systemSnapshot } from "./system-telemetry.ts";

/** Parts of {@link startDuties}. */
export interface DutiesParts {
  readonly settings: Settings;
  readonly clock: Clock;
  /** Uniform random numbers in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
  readonly log: Logger;
  /** Told what was done; `landfall run --json` prints it. */
  readonly tell: (event: DutyEvent) => void;
}

/** Something that the agent did by itself. */
export type DutyEvent =
  | McuDutyEvent
  | { readonly event: "telemetry-acknowledged"; readonly kind: "system" }
  | { readonly event: "method-answered"; readonly name: string; readonly status: number }
  | { readonly event: "desired-changed"; readonly version: number; readonly patch: JsonObject };

type DutyAlone = Omit<Duty, "mcu">;

/** How one duty is carried out until the signal aborts. */
interface Duty extends DutiesParts {
  readonly agent: Agent;
  readonly interval: AdjustableInterval;
  /** Absent when there is no MCU. */
  readonly mcu: Promise<McuDuties | undefined>;
  readonly signal: AbortSignal;
}

/**
 * What an agent does by itself under `landfall run`: system telemetry at an interval, direct methods that run configured
 * commands, the method `reprovision`, the desired property `landfall.telemetryInterval` (seconds), and all that the agent
 * does with an MCU.
 *
 * Set up before the agent starts; ends when `signal` aborts or the agent is closed, its methods with the agent. Resolves
 * when everything has ended. Throws `hub.method-exists` when a method is taken already.
 */
export function startDuties(
  agent: Agent,
  parts: DutiesParts,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const closed = new AbortController();
  agent.once("closed", () => closed.abort());
  const ends = AbortSignal.any([signal, closed.signal]);
  const interval = new AdjustableInterval(parts.settings.telemetry.intervalMs);
  const alone = { ...parts, agent, interval, signal: ends };
  runCommands(alone);
  reprovisionOnRequest(alone);
  const mcu = startMcu(alone);
  const duty: Duty = { ...alone, mcu };
  return Promise.all([
    untilTheEnd("saying in the twin which agent this is", introduce, duty),
    untilTheEnd("system telemetry", sendSystemTelemetry, duty),
    untilTheEnd("following the twin", followDesired, duty),
    mcu.then((duties) => duties?.ended),
  ]).then(() => {});
}

/** Never rejects: one duty that fails does not end the others, nor the agent. */
async function untilTheEnd(what: string, carryOut: (duty: Duty) => Promise<void>, duty: Duty): Promise<void> {
  try {
    await carryOut(duty);
  } catch (error) {
    if (duty.signal.aborted || isClosing(error)) return;
    duty.log.error(`${what} has ended: ${describeCause(error)}`, { error });
  }
}

/** After the methods of the configuration, which take precedence over the commands of the MCU. */
async function startMcu({
  agent,
  settings,
  random = Math.random,
  log,
  ...parts
}: DutyAlone): Promise<McuDuties | undefined> {
  const link = agent.mcu;
  if (link === undefined || settings.mcu === undefined) return undefined;
  // What knows about serial lines is loaded where there is one.
  const { startMcuDuties } = await import("./mcu/mcu-duties.ts");
  return startMcuDuties(agent, { ...parts, link, settings: settings.mcu, random, log: log.child("mcu") });
}

function runCommands({ agent, settings, clock, tell }: DutyAlone): void {
  for (const [name, command] of Object.entries(settings.methods)) {
    agent.onMethod(
      name,
      async ({ payload }, { signal }) => {
        const response = await runMethodCommand(command, payload, { clock, signal });
        tell({ event: "method-answered", name, status: response.status });
        return response;
      },
      // The command's own limit comes first, so that its output still reaches the caller.
      { timeoutMs: command.timeoutMs + 5000 },
    );
  }
}

function reprovisionOnRequest({ agent, settings, log, signal, tell }: DutyAlone): void {
  const name = "reprovision";
  agent.onMethod(name, () => {
    if (settings.provisioning.source !== "dps") {
      tell({ event: "method-answered", name, status: 409 });
      return { status: 409, payload: { message: "the hub is given by hand, there is no DPS to ask" } };
    }
    // The answer has to leave over the present connection, before a move may end it.
    setImmediate(() => {
      agent.provision({ signal }).catch((error: unknown) => {
        if (!signal.aborted && !isClosing(error)) log.warn(`provisioning on request failed: ${describeCause(error)}`);
      });
    });
    tell({ event: "method-answered", name, status: 202 });
    return { status: 202, payload: { message: "asking DPS" } };
  });
}

async function introduce({ agent, signal }: Duty): Promise<void> {
  await agent.report(introduction(), { signal });
}

async function sendSystemTelemetry({ agent, interval, clock, tell, signal }: Duty): Promise<void> {
  if (interval.ms === 0) await interval.pass(clock, { signal });
  for (;;) {
    // A snapshot from before the connection would be old news by the time it arrives.
    await agent.whenConnected({ signal });
    await agent.send(await systemSnapshot(), { properties: { kind: "system" }, signal });
    tell({ event: "telemetry-acknowledged", kind: "system" });
    await interval.pass(clock, { signal });
  }
}

async function followDesired({ agent, interval, mcu, log, tell, signal }: Duty): Promise<void> {
  const duties = await mcu;
  for await (const change of agent.desiredChanges({ signal })) {
    tell({ event: "desired-changed", version: change.version, patch: change.patch });
    duties?.change(change);
    const own = readOwnChange(change);
    if (own === undefined) continue;
    if (own.intervalMs === "configured") interval.set();
    else if (own.intervalMs !== undefined) interval.set(own.intervalMs);
    try {
      await agent.report(own.report, { signal });
    } catch (error) {
      if (signal.aborted || isClosing(error)) throw error;
      log.warn(`the twin does not say what became of a desired property: ${describeCause(error)}`, { error });
    }
  }
}

const isClosing = (error: unknown): boolean => isLandfallError(error) && error.code === "hub.closed";
