import type { Agent } from "../agent/agent.ts";
import { agentEvents } from "../agent/events.ts";
import type { TextSink } from "./terminal.ts";

/** Every event that `landfall run --json` prints: the agent's own, and what it does for the command. */
export const eventNames = [
  ...agentEvents,
  "telemetry-acknowledged",
  "method-answered",
  "desired-changed",
  "mcu-connected",
  "mcu-disconnected",
  "mcu-started",
  "mcu-update",
  "message",
  "message-refused",
] as const;

/** One event on its way out. */
export interface PrintedEvent {
  readonly event: (typeof eventNames)[number];
  readonly [field: string]: unknown;
}

/** Prints events as lines of JSON, `landfall.event/1`. */
export class EventLines {
  readonly #sink: TextSink;
  readonly #now: () => number;

  constructor(sink: TextSink, now: () => number = Date.now) {
    this.#sink = sink;
    this.#now = now;
  }

  /** Prints every event of `agent` from now on. */
  follow(agent: Agent): void {
    for (const event of agentEvents) agent.on(event, (fields: object) => this.write({ ...fields, event }));
  }

  /** Prints one event. */
  write(event: PrintedEvent): void {
    const line = { schema: "landfall.event/1", time: new Date(this.#now()).toISOString(), ...event };
    this.#sink.write(`${JSON.stringify(line, withMessages)}\n`);
  }
}

/** Our own errors know how to print themselves; of any other error only the message is shown. */
function withMessages(_: string, value: unknown): unknown {
  return value instanceof Error ? { message: value.message } : value;
}
