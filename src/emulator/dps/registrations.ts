import type { Clock } from "../../clock.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../json.ts";
import type { Logger } from "../../log.ts";
import { thumbprintsOf } from "../certificate-chain.ts";
import type { EventLog } from "../event-log.ts";
import type { DeviceAuthentication } from "../hub/device.ts";
import { bytesFrom, type Random } from "../randomness.ts";
import { chooseHub, type LinkedHub } from "./allocation.ts";
import { certificateInfo, type DpsAnswer, dpsDate, errorAnswer, newOperationId } from "./answers.ts";
import { judgeAttestation, type ProvenIdentity, type RegistrationEvidence } from "./attestation-check.ts";
import type { Enrollment } from "./enrollment.ts";
import type { EnrollmentBook } from "./enrollment-book.ts";
import { isRegistrationId } from "./registration-id.ts";

/** What {@link Registrations} works with. */
export interface RegistrationsParts {
  readonly idScope: string;
  readonly book: EnrollmentBook;
  /** The hubs that can be assigned, in the order in which they were named. */
  readonly hubs: () => readonly LinkedHub[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly events: EventLog;
  /** Polls that are answered `assigning` before the one that brings the result. */
  readonly assigningPolls: number;
  /** 0: not sent. */
  readonly retryAfterSeconds: number;
}

/** What DPS remembers of a device that it has assigned. */
export interface RegistrationRecord {
  readonly registrationId: string;
  /** Name of the hub. */
  readonly hub: string;
  readonly deviceId: string;
  readonly substatus: "initialAssignment" | "deviceDataMigrated" | "deviceDataReset";
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly etag: string;
}

/** What the service calls `registrationState`. */
type RegistrationState = JsonObject & { readonly status: string };

interface Operation {
  readonly operationId: string;
  readonly enrollment: Enrollment;
  readonly identity: ProvenIdentity;
  readonly payload: JsonValue | undefined;
  pollsLeft: number;
  /** What the device is told in the end, once there is an end. */
  result: RegistrationState | undefined;
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
  readonly #records = new Map<string, RegistrationRecord>();

  constructor(parts: RegistrationsParts) {
    this.#parts = parts;
  }

  /** Every device that is assigned. */
  get records(): readonly RegistrationRecord[] {
    return [...this.#records.values()];
  }

  /** Starts a registration. The body may be empty; it is then taken for `{}`. */
  register(requester: Requester, bodyText: string): DpsAnswer {
    const body = parseBody(bodyText, requester.registrationId);
    if (typeof body === "string") return this.error(400004, body);
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
      return this.error(404203, "Operation not found.");
    if (operation.pollsLeft > 0) {
      operation.pollsLeft -= 1;
      const registrationState = { registrationId, status: "assigning" };
      return this.#accepted({ operationId, status: "assigning", registrationState });
    }
    operation.result ??= this.#finish(operation, registrationId);
    const { status } = operation.result;
    return { status: 200, body: JSON.stringify({ operationId, status, registrationState: operation.result }) };
  }

  /** Tells what the last registration of a device has come to, without starting another. */
  lookUp(requester: Requester, bodyText: string): DpsAnswer {
    const body = parseBody(bodyText, requester.registrationId);
    if (typeof body === "string") return this.error(400004, body);
    if (body.csr !== undefined) return this.error(400004, "A look-up takes no certificate signing request.");
    const verdict = this.#judge(requester);
    if ("answer" in verdict) return verdict.answer;
    const { registrationId } = requester;
    const operation = this.#operations.get(registrationId.toLowerCase());
    if (operation === undefined) return this.error(404201, "Registration not found.");
    return { status: 200, body: JSON.stringify(operation.result ?? { registrationId, status: "assigning" }) };
  }

  #judge(
    requester: Requester,
  ): { readonly enrollment: Enrollment; readonly identity: ProvenIdentity } | { readonly answer: DpsAnswer } {
    const { idScope, book, clock, log } = this.#parts;
    const { registrationId } = requester;
    if (!isRegistrationId(registrationId)) return { answer: this.error(400004, "Invalid registration id.") };
    const verdict = judgeAttestation(book, { ...requester, nowMs: clock.now() });
    if (verdict.ok && requester.idScope === idScope) return verdict;
    const { errorCode, message, why } = verdict.ok
      ? { errorCode: 401002, message: "Unauthorized", why: `the id scope is ${idScope}, not ${requester.idScope}` }
      : verdict;
    log.warn(() => `refused ${registrationId} with ${errorCode}: ${why}`);
    return { answer: this.error(errorCode, message) };
  }

  #finish({ enrollment, identity, payload }: Operation, registrationId: string): RegistrationState {
    const { options } = enrollment;
    const end = (status: string, state: JsonObject): RegistrationState => ({ registrationId, ...state, status });
    if (enrollment.disabled) return end("disabled", { lastUpdatedDateTimeUtc: dpsDate(this.#parts.clock.now()) });
    const failed = (errorCode: number, errorMessage: string): RegistrationState => {
      this.#parts.log.warn(() => `could not assign ${registrationId}: ${errorCode} ${errorMessage}`);
      return end("failed", { errorCode, errorMessage, lastUpdatedDateTimeUtc: dpsDate(this.#parts.clock.now()) });
    };
    if (options.failure !== undefined) return failed(options.failure.errorCode, options.failure.message);
    const current = this.#records.get(registrationId.toLowerCase());
    const hub = chooseHub(this.#parts.hubs(), options, registrationId, current);
    if (hub === undefined) return failed(400208, "IotHub not specified.");
    const record = this.#assign(enrollment, identity, hub, registrationId);
    const { deviceId, substatus } = record;
    this.#parts.events.add("dps.assigned", { registrationId, hub: hub.name, deviceId, substatus });
    this.#parts.log.info(() => `assigned ${registrationId} to ${hub.name} as ${deviceId} (${substatus})`);
    const returned =
      typeof options.payload === "function"
        ? options.payload({ registrationId, deviceId, hub: hub.name, payload })
        : options.payload;
    return end("assigned", {
      createdDateTimeUtc: dpsDate(record.createdAtMs),
      assignedHub: hub.address,
      deviceId,
      substatus,
      lastUpdatedDateTimeUtc: dpsDate(record.updatedAtMs),
      etag: record.etag,
      ...(returned === undefined ? {} : { payload: returned }),
      ...provenBy(identity, enrollment),
    });
  }

  /** Writes the device into its hub, taking it away from another one first where it has to move. */
  #assign(
    enrollment: Enrollment,
    identity: ProvenIdentity,
    hub: LinkedHub,
    registrationId: string,
  ): RegistrationRecord {
    const key = registrationId.toLowerCase();
    const { initialTwin, reprovisioning = "migrate" } = enrollment.options;
    const before = this.#records.get(key);
    const moves = before !== undefined && before.hub !== hub.name;
    const deviceId =
      before !== undefined && reprovisioning === "never" ? before.deviceId : enrollment.deviceIdOf(registrationId);
    const left = moves
      ? this.#parts
          .hubs()
          .find(({ name }) => name === before.hub)
          ?.registry.remove(before.deviceId)
      : undefined;
    const migrates = left !== undefined && reprovisioning === "migrate";
    hub.registry.put({
      deviceId,
      authentication: authenticationFor(identity),
      twin: migrates ? left.twin : initialTwin,
    });
    const moved = reprovisioning === "reset" ? "deviceDataReset" : "deviceDataMigrated";
    const nowMs = this.#parts.clock.now();
    const record: RegistrationRecord = {
      registrationId,
      hub: hub.name,
      deviceId,
      substatus: moves ? moved : (before?.substatus ?? "initialAssignment"),
      createdAtMs: before?.createdAtMs ?? nowMs,
      updatedAtMs: nowMs,
      etag: Buffer.from(bytesFrom(this.#parts.random, 12).toString("hex")).toString("base64"),
    };
    this.#records.set(key, record);
    return record;
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

/** The members of a body that the emulator reads, or what is wrong with it. */
function parseBody(
  text: string,
  registrationId: string,
): { readonly payload?: JsonValue; readonly csr?: JsonValue } | string {
  if (text.trim() === "") return {};
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return "The body is not JSON.";
  }
  if (!isJsonObject(body)) return "The body is not a JSON object.";
  const { registrationId: named, payload, csr } = body;
  if (named !== undefined && String(named).toLowerCase() !== registrationId.toLowerCase()) {
    return "The registration id of the body is another one.";
  }
  return { ...(payload === undefined ? {} : { payload }), ...(csr === undefined ? {} : { csr }) };
}

function authenticationFor(identity: ProvenIdentity): DeviceAuthentication {
  if (identity.method === "x509") return { kind: "x509", thumbprints: [thumbprintsOf(identity.leaf).sha256] };
  const { primaryKey, secondaryKey } = identity;
  return { kind: "symmetric_key", primaryKey, secondaryKey };
}

function provenBy(identity: ProvenIdentity, { kind, id }: Enrollment): JsonObject {
  const group = kind === "group" ? { enrollmentGroupId: id } : {};
  if (identity.method === "symmetric_key") return { symmetricKey: group };
  const signer = identity.signer === undefined ? {} : { signingCertificateInfo: certificateInfo(identity.signer) };
  return { x509: { certificateInfo: certificateInfo(identity.leaf), ...group, ...signer } };
}
