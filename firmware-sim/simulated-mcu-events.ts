import type { ExecutedCommand } from "./groups/commands-group.ts";
import type { TelemetryMessage } from "./telemetry.ts";
import type { Body } from "./wire/value.ts";

/** A request as it came in. */
export interface AskedRequest {
  readonly operation: "read" | "write";
  readonly group: number;
  readonly command: number;
  readonly body: Body;
}

/** What a simulated MCU tells of itself, for tests and people; the line does not know of it. */
export interface SimulatedMcuEvents {
  /** The firmware has started. */
  started: [life: { readonly boot: number; readonly version: string }];
  /** It has ended: it was asked to reset, or has crashed, or the watchdog or a power cut has ended it. */
  ended: [why: "reset" | "crash" | "watchdog" | "power cut"];
  /** A request came in and is about to be executed, repetitions included. */
  asked: [request: AskedRequest];
  /** A command was executed. */
  executed: [command: ExecutedCommand];
  /** The gateway has passed on a message. */
  answered: [message: TelemetryMessage];
  /** Settings were committed: all that are in effect now. */
  committed: [settings: Body];
}

/** Tells an event, by name. */
export type Tell = <Name extends keyof SimulatedMcuEvents>(name: Name, ...what: SimulatedMcuEvents[Name]) => void;
