import { describeCause } from "../../errors.ts";
import type { JsonObject, JsonValue } from "../../json.ts";
import type { Logger } from "../../log.ts";
import type { EventLog } from "../event-log.ts";
import { allowedHubs } from "./allocation.ts";
import { AllocationUnderWay } from "./allocation-under-way.ts";
import { challengeAnswer, type DpsAnswer, dpsDate, errorAnswer, newOperationId } from "./answers.ts";
import { Assignments, type AssignmentsParts, type RegistrationRecord } from "./assignments.ts";
import { judgeAttestation } from "./attestation-check.ts";
import { allocateByCallback, type CustomAllocation } from "./custom-allocation.ts";
import type { Enrollment } from "./enrollment.ts";
import type { EnrollmentBook } from "./enrollment-book.ts";
import { provenBy } from "./proven-by.ts";
import { parseBody } from "./registration-body.ts";
import { isRegistrationId } from "./registration-id.ts";
import { TpmChallenges } from "./tpm/tpm-challenges.ts";
import {
  type ProvenIdentity,
  type RegistrationEvidence,
  type Requester,
  registrationKeyName,
  unauthorized,
} from "./verdict.ts";

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

/** What the service calls `registrationState`. */
type RegistrationState = JsonObject & { readonly status: string };

interface Operation {
  readonly operationId: string;
  readonly enrollment: Enrollment;
  readonly identity: ProvenIdentity;
  readonly payload: JsonValue | undefined;
  /** Present with a custom allocation. */
  readonly custom: AllocationUnderWay | undefined;
  pollsLeft: number;
  /** What the device is told in the end, once there is an end. */
  result: RegistrationState | undefined;
}

/**
 * The registration API of DPS without a transport: requests in, answers out. Every request is judged anew, as over HTTPS
 * where each one carries its own credential.
 */
export class Registrations {
  readonly #parts: RegistrationsParts;
  readonly #operations = new Map<string, Operation>();
  readonly #assignments: Assignments;
  readonly #challenges: TpmChallenges;

  constructor(parts: RegistrationsParts) {
    this.#parts = parts;
    this.#assignments = new Assignments(parts);
    this.#challenges = new TpmChallenges(parts.random);
  }

  /** Every device that is assigned. */
  get records(): readonly RegistrationRecord[] {
    return this.#assignments.records;
  }

  /** Starts a registration. The body may be empty; it is then taken for `{}`. */
  register(requester: Requester, bodyText: string): DpsAnswer {
    const body = parseBody(bodyText, requester.registrationId);
    if (typeof body === "string") return this.error(400004, body);
    const verdict = this.#judge({ ...requester, step: "register", tpm: body.tpm });
    if ("answer" in verdict) return verdict.answer;
    const { enrollment, identity } = verdict;
    const operation: Operation = {
      operationId: newOperationId(this.#parts.random),
      enrollment,
      identity,
      payload: body.payload,
      custom: this.#allocate(enrollment, requester.registrationId, body.payload),
      pollsLeft: this.#parts.assigningPolls,
      result: undefined,
    };
    this.#operations.set(requester.registrationId.toLowerCase(), operation);
    return this.#accepted({ operationId: operation.operationId, status: "assigning" });
  }

  /** Tells how a registration is going. */
  poll(requester: Requester, operationId: string): DpsAnswer {
    const verdict = this.#judge({ ...requester, step: "poll" });
    if ("answer" in verdict) return verdict.answer;
    const { registrationId } = requester;
    const operation = this.#operations.get(registrationId.toLowerCase());
    if (operation === undefined || operation.operationId !== operationId)
      return this.error(404203, "Operation not found.");
    if (operation.pollsLeft > 0 || operation.custom?.state.kind === "pending") {
      operation.pollsLeft = Math.max(0, operation.pollsLeft - 1);
      const registrationState = { registrationId, status: "assigning" };
      return this.#accepted({ operationId, status: "assigning", registrationState });
    }
    operation.result ??= this.#finish(operation, registrationId);
    const { status } = operation.result;
    return { status: 200, body: JSON.stringify({ operationId, status, registrationState: operation.result }) };
  }

  /**
   * Tells what the last registration of a device has come to, without starting another. Azure does not say what it answers
   * about a device that is enrolled and never registered; 404 is what is likely.
   */
  lookUp(requester: Requester, bodyText: string): DpsAnswer {
    const body = parseBody(bodyText, requester.registrationId);
    if (typeof body === "string") return this.error(400004, body);
    if (body.csr !== undefined) return this.error(400004, "A look-up takes no certificate signing request.");
    const verdict = this.#judge({ ...requester, step: "look-up", tpm: body.tpm });
    if ("answer" in verdict) return verdict.answer;
    const { registrationId } = requester;
    const operation = this.#operations.get(registrationId.toLowerCase());
    if (operation === undefined) return this.error(404201, "Registration not found.");
    return { status: 200, body: JSON.stringify(operation.result ?? { registrationId, status: "assigning" }) };
  }

  #judge(
    evidence: Omit<RegistrationEvidence, "nowMs">,
  ): { readonly enrollment: Enrollment; readonly identity: ProvenIdentity } | { readonly answer: DpsAnswer } {
    const { idScope, book, clock, log } = this.#parts;
    const { registrationId } = evidence;
    const nowMs = clock.now();
    if (!isRegistrationId(registrationId)) return { answer: this.error(400004, "Invalid registration id.") };
    const found = judgeAttestation(book, { ...evidence, nowMs }, this.#challenges);
    const isElsewhere = found.kind !== "refused" && evidence.idScope !== idScope;
    const verdict = isElsewhere ? unauthorized(`the id scope is ${idScope}, not ${evidence.idScope}`) : found;
    switch (verdict.kind) {
      case "proven":
        return verdict;
      case "challenged": {
        const { enrollment, keys } = verdict;
        const blob = this.#challenges.issue(enrollment, keys, `${idScope}/registrations/${registrationId}`, nowMs);
        log.info(() => `challenged ${registrationId} to sign with a key for its TPM`);
        return { answer: challengeAnswer(blob, registrationKeyName) };
      }
      case "refused": {
        const { errorCode, message, why } = verdict;
        log.warn(() => `refused ${registrationId} with ${errorCode}: ${why}`);
        return { answer: this.error(errorCode, message) };
      }
    }
  }

  #finish(operation: Operation, registrationId: string): RegistrationState {
    const { enrollment, identity } = operation;
    const { failure } = enrollment.options;
    if (enrollment.disabled) return this.#end(registrationId, "disabled", {});
    if (failure !== undefined) return this.#fail(registrationId, failure.errorCode, failure.message);
    const custom = operation.custom?.state;
    if (custom?.kind === "failed") return this.#failCustom(registrationId, custom.why);
    const allocation = custom?.kind === "decided" ? custom.allocation : undefined;
    const assigned = this.#assignments.assign(enrollment, identity, registrationId, allocation);
    if (assigned === undefined && allocation !== undefined) {
      return this.#failCustom(registrationId, `${allocation.hub} is none of the hubs that may be assigned`);
    }
    if (assigned === undefined) return this.#fail(registrationId, 400208, "IotHub not specified.");
    const { record, hub } = assigned;
    let payload: JsonValue | undefined;
    try {
      payload = allocation?.payload ?? returnedPayload(enrollment, record, operation.payload);
    } catch (error) {
      this.#parts.log.error(() => `the payload function of ${enrollment.id} failed: ${describeCause(error)}`);
      return this.#fail(registrationId, 400207, "Custom allocation failed.");
    }
    const { deviceId, substatus } = record;
    this.#parts.events.add("dps.assigned", { registrationId, hub: hub.name, deviceId, substatus });
    this.#parts.log.info(() => `assigned ${registrationId} to ${hub.name} as ${deviceId} (${substatus})`);
    return this.#end(registrationId, "assigned", {
      createdDateTimeUtc: dpsDate(record.createdAtMs),
      assignedHub: hub.address,
      deviceId,
      substatus,
      etag: record.etag,
      ...(payload === undefined ? {} : { payload }),
      ...provenBy(identity, enrollment, assigned, this.#parts.random),
    });
  }

  #fail(registrationId: string, errorCode: number, errorMessage: string): RegistrationState {
    this.#parts.log.warn(() => `could not assign ${registrationId}: ${errorCode} ${errorMessage}`);
    return this.#end(registrationId, "failed", { errorCode, errorMessage });
  }

  #failCustom(registrationId: string, why: string): RegistrationState {
    this.#parts.log.warn(() => `the custom allocation of ${registrationId} failed: ${why}`);
    return this.#fail(registrationId, 400207, "Custom allocation failed.");
  }

  /** A device that never moves, or may not come in at all, is not asked about. */
  #allocate(
    { options, kind, id, disabled }: Enrollment,
    registrationId: string,
    payload: JsonValue | undefined,
  ): AllocationUnderWay | undefined {
    const { allocation, customAllocation, reprovisioning } = options;
    const currentHub = this.#assignments.hubOf(registrationId);
    if (allocation !== "custom" || customAllocation === undefined || disabled) return undefined;
    if (currentHub !== undefined && reprovisioning === "never") return undefined;
    const hubs = this.#parts.hubs();
    const request = {
      registrationId,
      ...(kind === "group" ? { group: id } : {}),
      payload,
      hubs: allowedHubs(hubs, options).map(({ name }) => name),
      ...(currentHub === undefined ? {} : { currentHub }),
    };
    return new AllocationUnderWay((): CustomAllocation | Promise<CustomAllocation> =>
      typeof customAllocation === "string"
        ? allocateByCallback(customAllocation, request, { hubs, clock: this.#parts.clock })
        : customAllocation(request),
    );
  }

  #end(registrationId: string, status: string, state: JsonObject): RegistrationState {
    return { registrationId, ...state, lastUpdatedDateTimeUtc: dpsDate(this.#parts.clock.now()), status };
  }

  #accepted(body: JsonObject): DpsAnswer {
    const { retryAfterSeconds } = this.#parts;
    return { status: 202, ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}), body: JSON.stringify(body) };
  }

  /** An error that is answered at once; its code is of one of the service's own. */
  error(errorCode: number, message: string): DpsAnswer {
    return errorAnswer(errorCode, message, this.#parts.clock.now(), this.#parts.random);
  }
}

function returnedPayload(
  { options }: Enrollment,
  { registrationId, deviceId, hub }: RegistrationRecord,
  sent: JsonValue | undefined,
): JsonValue | undefined {
  if (typeof options.payload !== "function") return options.payload;
  return options.payload({ registrationId, deviceId, hub, payload: sent });
}
