import type { JsonObject, JsonValue } from "../../json.ts";
import type { CredentialKind } from "../event-kinds.ts";
import type { EventLog } from "../event-log.ts";
import { clockSkewOf, type Delivery, deliveryOf } from "../faults/delivery.ts";
import type { ScriptedAnswer } from "../faults/fault.ts";
import { malformed, scriptedBody } from "../faults/scripted-answer.ts";
import type { SkewableClock } from "../faults/skewable-clock.ts";
import type { DpsAnswer } from "./answers.ts";
import type { DpsFault, DpsFaults } from "./faults.ts";
import type { QuotaCounter } from "./quotas.ts";
import type { Registrations } from "./registrations.ts";
import type { Requester } from "./verdict.ts";

/** A request to DPS, whatever carried it. */
export interface DeskRequest {
  readonly requester: Requester;
  readonly step: "register" | "poll" | "look-up";
  /** Of a poll; empty otherwise. */
  readonly operationId: string;
  readonly bodyText: string;
  /** How far ahead the service's clock is for this client, in milliseconds. Default 0. */
  readonly clockSkewMs?: number;
}

/** What the client is to see of its request. */
export type DeskOutcome =
  | {
      readonly kind: "answer";
      readonly answer: DpsAnswer;
      readonly wrongRequestId: boolean;
      readonly delivery: Delivery;
      /** The time by the service's clock, milliseconds since the Unix epoch. */
      readonly nowMs: number;
    }
  /** No answer at all. */
  | { readonly kind: "silence" }
  /** The connection is to be cut. */
  | { readonly kind: "drop" };

/** What a {@link RegistrationDesk} works with. */
export interface RegistrationDeskParts {
  readonly registrations: Registrations;
  readonly faults: DpsFaults;
  readonly quotas: QuotaCounter;
  readonly events: EventLog;
  /** The clock that {@link registrations} reads. */
  readonly clock: SkewableClock;
}

/** Where every request to DPS ends up: a scripted fault comes first, then quotas, the registration API, and the record. */
export class RegistrationDesk {
  readonly #parts: RegistrationDeskParts;

  constructor(parts: RegistrationDeskParts) {
    this.#parts = parts;
  }

  serve(request: DeskRequest): DeskOutcome {
    const fault = this.#parts.faults.take(request.requester.registrationId, request.step);
    const skewMs = clockSkewOf(fault) || (request.clockSkewMs ?? 0);
    const { clock } = this.#parts;
    const [answer, nowMs] = clock.skewed(skewMs, () => [this.#answer(request, fault), clock.now()] as const);
    this.#note(request, answer?.status ?? 0);
    if (fault === "drop") return { kind: "drop" };
    if (answer === undefined) return { kind: "silence" };
    const body = fault === "malformed" ? malformed(answer.body) : answer.body;
    const wrongRequestId = fault === "wrong-rid";
    return { kind: "answer", answer: { ...answer, body }, wrongRequestId, delivery: deliveryOf(fault), nowMs };
  }

  /** The answer to a request that did not get as far as {@link serve}. */
  error(errorCode: number, message: string): DpsAnswer {
    return this.#parts.registrations.error(errorCode, message);
  }

  #answer({ requester, step, operationId, bodyText }: DeskRequest, fault: DpsFault | undefined): DpsAnswer | undefined {
    if (typeof fault === "object" && "status" in fault) return scripted(fault);
    if (fault === "silence" || fault === "drop") return undefined;
    const { registrations, quotas } = this.#parts;
    const retryAfterSeconds = quotas.secondsToWait(step, requester.registrationId);
    if (retryAfterSeconds !== undefined) {
      return { ...registrations.error(429_001, "Too many requests."), retryAfterSeconds };
    }
    switch (step) {
      case "register":
        return registrations.register(requester, bodyText);
      case "poll":
        return registrations.poll(requester, operationId);
      case "look-up":
        return registrations.lookUp(requester, bodyText);
    }
  }

  #note({ requester, step, operationId, bodyText }: DeskRequest, status: number): void {
    const { events } = this.#parts;
    const { registrationId, transport } = requester;
    const about = { registrationId, transport, status };
    switch (step) {
      case "register":
        events.add("dps.register", { ...about, ...payloadIn(bodyText) });
        break;
      case "poll":
        events.add("dps.poll", { ...about, operationId });
        break;
      case "look-up":
        events.add("dps.look-up", { ...about, credential: credentialOf(requester) });
        break;
    }
  }
}

function scripted(fault: ScriptedAnswer): DpsAnswer {
  const { status, retryAfterSeconds } = fault;
  return { status, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }), body: scriptedBody(fault) };
}

function credentialOf({ sasToken, certificates }: Requester): CredentialKind {
  if (sasToken !== undefined) return "sas";
  return certificates.length > 0 ? "certificate" : "none";
}

function payloadIn(bodyText: string): { readonly payload?: JsonValue } {
  try {
    const { payload } = JSON.parse(bodyText) as JsonObject;
    return payload === undefined ? {} : { payload };
  } catch {
    return {};
  }
}
