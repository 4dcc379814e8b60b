import type { Agent } from "../agent/agent.ts";
import type { DutyEvent } from "../agent/duties.ts";
import { isLandfallError } from "../errors.ts";
import type { TextSink } from "./terminal.ts";

/** The events of an agent that `landfall run --json` prints. */
const names = [
  "endpoint",
  "provisioning",
  "assigned",
  "provisioning-failed",
  "connected",
  "disconnected",
  "waiting",
  "renewed",
  "displaced",
] as const;

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
    for (const name of names) agent.on(name, (fields: object) => this.write({ ...fields, event: name }));
  }

  /** Prints one event. */
  write(event: DutyEvent | { readonly event: string; readonly [field: string]: unknown }): void {
    const line = { schema: "landfall.event/1", time: new Date(this.#now()).toISOString(), ...event };
    this.#sink.write(`${JSON.stringify(line, printable)}\n`);
  }
}

/** Errors print their code and message; what else hangs on an error is for the log. */
function printable(_: string, value: unknown): unknown {
  if (isLandfallError(value)) return { code: value.code, message: value.message };
  return value instanceof Error ? { message: value.message } : value;
}
