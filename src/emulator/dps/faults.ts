import type { JsonValue } from "../../json.ts";
import type { ConnackCode } from "../mqtt/packets.ts";

/** A point of a registration at which something can go wrong. */
export type DpsStep = "connect" | "register" | "poll" | "look-up";

/** What goes wrong. */
export type DpsFault =
  /** An answer of your own; `body` is sent as JSON, or as it is when it is a string. Default: the usual error body. */
  | { readonly status: number; readonly retryAfterSeconds?: number; readonly body?: JsonValue }
  /** A refusal of the connection; for the step `connect` only, which MQTT alone has. */
  | { readonly connack: Exclude<ConnackCode, 0> }
  /** No answer. */
  | "silence"
  /** The connection is cut instead of an answer. */
  | "drop"
  /** The right answer with a body that is cut in the middle. */
  | "malformed"
  /** The right answer under another request id. */
  | "wrong-rid";

/** A fault that was served. */
export interface ServedFault {
  readonly registrationId: string;
  readonly step: DpsStep;
  readonly fault: DpsFault;
}

/** Faults on demand: scripted for the next requests of a registration, served in order, and recorded. */
export class DpsFaults {
  readonly #scripts = new Map<string, DpsFault[]>();
  readonly #served: ServedFault[] = [];

  /**
   * Serves `fault` at the next request of that kind, instead of the usual answer.
   * @param registrationId whose request; `*` for anybody's
   * @param times how often, one after the other; faults added later come after these
   */
  next(registrationId: string, step: DpsStep, fault: DpsFault, times = 1): void {
    const key = keyOf(registrationId, step);
    const script = this.#scripts.get(key) ?? [];
    script.push(...Array.from({ length: times }, () => fault));
    this.#scripts.set(key, script);
  }

  /** Every fault that was served, in order. */
  get served(): readonly ServedFault[] {
    return [...this.#served];
  }

  /** Faults that wait to be served. */
  get pending(): number {
    return [...this.#scripts.values()].reduce((sum, script) => sum + script.length, 0);
  }

  /** Forgets the faults that wait. */
  clear(): void {
    this.#scripts.clear();
  }

  /** Takes the fault for a request, if there is one. For the service. */
  take(registrationId: string, step: DpsStep): DpsFault | undefined {
    const own = this.#scripts.get(keyOf(registrationId, step));
    const script = own?.length ? own : this.#scripts.get(keyOf("*", step));
    const fault = script?.shift();
    if (fault !== undefined) this.#served.push({ registrationId, step, fault });
    return fault;
  }
}

function keyOf(registrationId: string, step: DpsStep): string {
  return `${step} ${registrationId.toLowerCase()}`;
}
