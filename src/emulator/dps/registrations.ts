import { describeCause } from "../../errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../json.ts";
import type { Logger } from "../../log.ts";
import type { EventLog } from "../event-log.ts";
import { certificateInfo, type DpsAnswer, dpsDate, errorAnswer, newOperationId } from "./answers.ts";
import { Assignments, type AssignmentsParts, type RegistrationRecord } from "./assignments.ts";
import { judgeAttestation, type ProvenIdentity, type RegistrationEvidence } from "./attestation-check.ts";
import type { Enrollment } from "./enrollment.ts";
import type { EnrollmentBook } from "./enrollment-book.ts";
import { isRegistrationId } from "./registration-id.ts";

/** What {@link Registrations} works with. */
export interface RegistrationsParts extends AssignmentsParts {
  readonly idScope: string;
  readonly book: EnrollmentBook;
  readonly log: Logger;
  readonly events: EventLog;
  /** Polls that are answered `assigning` before the one that brings the result. */
  readonly assigningPolls: number;
  /** 0: not sent. */
  readonly retryAfterSeconds: number;
}

interface Operation {
  readonly operationId: string;
  readonly enrollment: Enrollment;
  readonly identity: ProvenIdentity;
  readonly payload: JsonValue | undefined;
  pollsLeft: number;
  result: DpsAnswer | undefined;
}

/** Who is who: the evidence without the time, which is the clock's. */
export type Requester = Omit<RegistrationEvidence, "nowMs">;

/**
 * The registration API of DPS without a transport: requests in, answers out. Every request is judged anew, as over HTTPS
 * where each one carries its own credential.
 */
export class Registrations {
  readonly #parts: RegistrationsParts;
  readonly #operations = new Map<string, Operation>();
  readonly #assignments: Assignments;

  constructor(parts: RegistrationsParts) {
    this.#parts = parts;
    this.#assignments = new Assignments(parts);
  }

  /** Every device that is assigned. */
  get records(): readonly RegistrationRecord[] {
    return this.#assignments.records;
  }

  /** Starts a registration. The body may be empty; it is then taken for `{}`. */
  register(requester: Requester, bodyText: string): DpsAnswer {
    const body = parseBody(bodyText, requester.registrationId);
    if (typeof body === "string") return this.#error(400004, body);
    const verdict = this.#judge(requester);
    if ("answer" in verdict) return verdict.answer;
    const { enrollment, identity } = verdict;
    const operation: Operation = {
      operationId: newOperationId(this.#parts.random),
      enrollment,
      identity,
      payload: body.payload,
      pollsLeft: this.#parts.assigningPolls,
      result: undefined,
    };
    this.#operations.set(requester.registrationId.toLowerCase(), operation);
    return this.#accepted({ operationId: operation.operationId, status: "assigning" });
  }

  /** Tells how a registration is going. */
  poll(requester: Requester, operationId: string): DpsAnswer {
    const verdict = this.#judge(requester);
    if ("answer" in verdict) return verdict.answer;
    const { registrationId } = requester;
    const operation = this.#operations.get(registrationId.toLowerCase());
    if (operation === undefined || operation.operationId !== operationId)
      return this.#error(404203, "Operation not found.");
    if (operation.pollsLeft > 0) {
      operation.pollsLeft -= 1;
      const registrationState = { registrationId, status: "assigning" };
      return this.#accepted({ operationId, status: "assigning", registrationState });
    }
    operation.result ??= this.#finish(operation, registrationId);
    return operation.result;
  }

  /**
   * Tells how things stand with a device, and changes nothing: the state of its last registration, or 404 when it never asked
   * for one. Azure does not say what it answers about a device that is enrolled and never registered; 404 is what is likely.
   */
  lookUp(requester: Requester): DpsAnswer {
    const verdict = this.#judge(requester);
    if ("answer" in verdict) return verdict.answer;
    const operation = this.#operations.get(requester.registrationId.toLowerCase());
    if (operation === undefined) return this.#error(404201, "Registration not found.");
    const { registrationId } = requester;
    const state = operation.result && (JSON.parse(operation.result.body) as JsonObject).registrationState;
    return { status: 200, body: JSON.stringify(state ?? { registrationId, status: "assigning" }) };
  }

  #judge(
    requester: Requester,
  ): { readonly enrollment: Enrollment; readonly identity: ProvenIdentity } | { readonly answer: DpsAnswer } {
    const { idScope, book, clock, log } = this.#parts;
    const { registrationId } = requester;
    if (!isRegistrationId(registrationId)) return { answer: this.#error(400004, "Invalid registration id.") };
    const verdict = judgeAttestation(book, { ...requester, nowMs: clock.now() });
    if (verdict.ok && requester.idScope === idScope) return verdict;
    const { errorCode, message, why } = verdict.ok
      ? { errorCode: 401002, message: "Unauthorized", why: `the id scope is ${idScope}, not ${requester.idScope}` }
      : verdict;
    log.warn(() => `refused ${registrationId} with ${errorCode}: ${why}`);
    return { answer: this.#error(errorCode, message) };
  }

  #finish(operation: Operation, registrationId: string): DpsAnswer {
    const { enrollment, identity } = operation;
    const { failure } = enrollment.options;
    if (enrollment.disabled) return this.#end(operation, registrationId, "disabled", {});
    if (failure !== undefined) return this.#fail(operation, registrationId, failure.errorCode, failure.message);
    const assigned = this.#assignments.assign(enrollment, identity, registrationId);
    if (assigned === undefined) return this.#fail(operation, registrationId, 400208, "IotHub not specified.");
    const { record, hub } = assigned;
    let payload: JsonValue | undefined;
    try {
      payload = returnedPayload(enrollment, record, operation.payload);
    } catch (error) {
      this.#parts.log.error(() => `the payload function of ${enrollment.id} failed: ${describeCause(error)}`);
      return this.#fail(operation, registrationId, 400207, "Custom allocation failed.");
    }
    const { deviceId, substatus } = record;
    this.#parts.events.add("dps.assigned", { registrationId, hub: hub.name, deviceId, substatus });
    this.#parts.log.info(() => `assigned ${registrationId} to ${hub.name} as ${deviceId} (${substatus})`);
    return this.#end(operation, registrationId, "assigned", {
      createdDateTimeUtc: dpsDate(record.createdAtMs),
      assignedHub: hub.address,
      deviceId,
      substatus,
      etag: record.etag,
      ...(payload === undefined ? {} : { payload }),
      ...provenBy(identity, enrollment),
    });
  }

  #fail(operation: Operation, registrationId: string, errorCode: number, errorMessage: string): DpsAnswer {
    this.#parts.log.warn(() => `could not assign ${registrationId}: ${errorCode} ${errorMessage}`);
    return this.#end(operation, registrationId, "failed", { errorCode, errorMessage });
  }

  #end({ operationId }: Operation, registrationId: string, status: string, state: JsonObject): DpsAnswer {
    const lastUpdatedDateTimeUtc = dpsDate(this.#parts.clock.now());
    const registrationState = { registrationId, ...state, lastUpdatedDateTimeUtc, status };
    return { status: 200, body: JSON.stringify({ operationId, status, registrationState }) };
  }

  #accepted(body: JsonObject): DpsAnswer {
    const { retryAfterSeconds } = this.#parts;
    return { status: 202, ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}), body: JSON.stringify(body) };
  }

  #error(errorCode: number, message: string): DpsAnswer {
    return errorAnswer(errorCode, message, this.#parts.clock.now(), this.#parts.random);
  }
}

/** The register body, or what is wrong with it. */
function parseBody(text: string, registrationId: string): { readonly payload?: JsonValue } | string {
  if (text.trim() === "") return {};
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return "The body is not JSON.";
  }
  if (!isJsonObject(body)) return "The body is not a JSON object.";
  const { registrationId: named, payload } = body;
  if (named !== undefined && (typeof named !== "string" || named.toLowerCase() !== registrationId.toLowerCase())) {
    return "The registration id of the body is another one.";
  }
  return payload === undefined ? {} : { payload };
}

function returnedPayload(
  { options }: Enrollment,
  { registrationId, deviceId, hub }: RegistrationRecord,
  sent: JsonValue | undefined,
): JsonValue | undefined {
  if (typeof options.payload !== "function") return options.payload;
  return options.payload({ registrationId, deviceId, hub, payload: sent });
}

function provenBy(identity: ProvenIdentity, { kind, id }: Enrollment): JsonObject {
  const group = kind === "group" ? { enrollmentGroupId: id } : {};
  if (identity.method === "symmetric_key") return { symmetricKey: group };
  const signer = identity.signer === undefined ? {} : { signingCertificateInfo: certificateInfo(identity.signer) };
  return { x509: { certificateInfo: certificateInfo(identity.leaf), ...group, ...signer } };
}
