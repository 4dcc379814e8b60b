import type { ServiceReport } from "../errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import type { DpsResponse } from "../transport/transport.ts";
import type { Assignment } from "./assignment.ts";

/**
 * What DPS said, in our words. This file is the only place that knows the service's own names; whatever it lets
 * through has the type, the size and the characters that the rest of landfall may rely on.
 */
export type RegistrationAnswer =
  /** Under way; `operationId` is what to ask about next. */
  | { readonly kind: "assigning"; readonly operationId?: string }
  | { readonly kind: "assigned"; readonly assignment: Assignment }
  /** Accepted, but the service could not or would not assign a hub. */
  | { readonly kind: "failed" | "disabled"; readonly report: ServiceReport }
  /** TPM: a blob that only this device can activate. */
  | { readonly kind: "challenge"; readonly blob: Uint8Array }
  /** A status of 400 or more, with whatever the service told about it. */
  | { readonly kind: "refused"; readonly status: number; readonly report: ServiceReport }
  /** Not an answer that this protocol knows; `fault` says what is wrong, and quotes nothing but a status. */
  | { readonly kind: "malformed"; readonly fault: string };

/** What goes into a registration. */
export interface RegistrationContent {
  readonly registrationId: string;
  /** The attestation's part of the body. */
  readonly evidence: JsonObject;
  /** For custom allocation. */
  readonly payload?: JsonObject | undefined;
  /** Plug and Play model id. */
  readonly modelId?: string | undefined;
}

/**
 * The body of a registration. The model id travels as `modelId` inside `payload`, which is how Azure's Plug and Play
 * documentation has devices announce it to DPS; a payload that already has a `modelId` keeps its own.
 */
export function registrationBody({ registrationId, evidence, payload, modelId }: RegistrationContent): JsonObject {
  const announced = modelId === undefined ? payload : { modelId, ...payload };
  return { ...evidence, registrationId, ...(announced === undefined ? {} : { payload: announced }) };
}

/** Judges one response of DPS. Never throws; fields it does not know are ignored. */
export function readAnswer(response: DpsResponse): RegistrationAnswer {
  return readBody(response, (json) => objectAt(json, "registrationState") ?? {});
}

/** Judges the answer to a look-up, whose body is the registration state itself; otherwise as {@link readAnswer}. */
export function readLookUp(response: DpsResponse): RegistrationAnswer {
  return readBody(response, (json) => json);
}

function readBody({ status, body }: DpsResponse, stateIn: (json: JsonObject) => JsonObject): RegistrationAnswer {
  const json = parseObject(body);
  if (status >= 400 && status <= 599) return readRefusal(status, json);
  if (!(status >= 200 && status <= 299)) return malformed(`a status of ${status}`);
  if (json === undefined) return malformed("a body that is not a JSON object");

  const state = stateIn(json);
  const named = textAt(json, "status", 64) ?? textAt(state, "status", 64);
  switch (named?.toLowerCase()) {
    case "assigning":
    case "unassigned":
      return readAssigning(json);
    case "assigned":
      return readAssigned(state);
    case "failed":
      return { kind: "failed", report: readStateReport(status, json, state) };
    case "disabled":
    case "blacklisted": // what old versions of the service called it
      return { kind: "disabled", report: readStateReport(status, json, state) };
    case undefined:
      return malformed("no registration status");
    default:
      return malformed(`the unknown registration status ${JSON.stringify(named)}`);
  }
}

function readAssigning(json: JsonObject): RegistrationAnswer {
  if (json.operationId === undefined || json.operationId === null) return { kind: "assigning" };
  const operationId = textAt(json, "operationId", 256);
  // It becomes part of a topic or a path, so the characters that mean something there are not let in.
  if (operationId === undefined || !/^[A-Za-z0-9._~:-]+$/.test(operationId))
    return malformed("an unusable operation id");
  return { kind: "assigning", operationId };
}

function readAssigned(state: JsonObject): RegistrationAnswer {
  const assignedHub = textAt(state, "assignedHub", 253);
  if (assignedHub === undefined) return malformed("an assignment without a hub");
  if (!hostName.test(assignedHub)) return malformed("an assignment to a hub that is not a host name");
  const deviceId = textAt(state, "deviceId", 128);
  if (deviceId === undefined) return malformed("an assignment without a device id");
  if (!deviceIdentity.test(deviceId)) return malformed("an assignment with an unusable device id");
  const substatus = textAt(state, "substatus", 64);
  const tpm = objectAt(state, "tpm");
  const tpmAuthenticationKey = tpm && textAt(tpm, "authenticationKey", maxBlobCharacters);
  if (tpmAuthenticationKey !== undefined && readBase64(tpmAuthenticationKey) === undefined) {
    return malformed("an activation blob that is not base64");
  }
  return {
    kind: "assigned",
    assignment: {
      assignedHub,
      deviceId,
      ...(substatus === undefined ? {} : { substatus }),
      ...(state.payload === undefined || state.payload === null ? {} : { payload: state.payload }),
      ...(tpmAuthenticationKey === undefined ? {} : { tpmAuthenticationKey }),
    },
  };
}

function readRefusal(status: number, json: JsonObject | undefined): RegistrationAnswer {
  // A 401 with a blob is a challenge; one without is a real refusal.
  if (status === 401 && json !== undefined && typeof json.authenticationKey === "string") {
    const blob = readBase64(json.authenticationKey);
    return blob === undefined ? malformed("a challenge that is not base64") : { kind: "challenge", blob };
  }
  const report = json === undefined ? {} : readReport(json, "message");
  return { kind: "refused", status, report: { ...report, status } };
}

/** The report of a registration that was accepted and then ended badly: it is in the state, under other names. */
function readStateReport(status: number, json: JsonObject, state: JsonObject): ServiceReport {
  return { ...readReport(json, "message"), ...readReport(state, "errorMessage"), status };
}

function readReport(json: JsonObject, messageName: "message" | "errorMessage"): ServiceReport {
  const { errorCode } = json;
  const trackingId = textAt(json, "trackingId", maxBodyCharacters);
  const message = textAt(json, messageName, maxBodyCharacters);
  return {
    ...(typeof errorCode === "number" && Number.isSafeInteger(errorCode) && errorCode !== 0 ? { errorCode } : {}),
    ...(trackingId === undefined ? {} : { trackingId: printable(trackingId, 128) }),
    ...(message === undefined ? {} : { message: printable(message, 1024) }),
  };
}

/** DPS itself allows 96 KB. */
const maxBodyCharacters = 262_144;
/** An activation blob has about 800 bytes. */
const maxBlobCharacters = 16_384;
/** So that nobody behind this file meets a document too deep to walk. */
const maxDepth = 64;

const hostName = /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*$/;
/** The characters of IoT Hub's device ids, without those that would change the meaning of a topic. */
const deviceIdentity = /^[A-Za-z0-9\-:._%*?!(),=@;$']+$/;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The parser's own message quotes the text, so nothing of it is passed on: a body may hold an authentication key. */
function parseObject(text: string): JsonObject | undefined {
  if (text.length > maxBodyCharacters) return undefined;
  try {
    const value: JsonValue = JSON.parse(text);
    return isJsonObject(value) && isShallow(value, maxDepth) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isShallow(value: JsonValue, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((member) => isShallow(member, levels - 1));
}

function objectAt(json: JsonObject, name: string): JsonObject | undefined {
  const value = json[name];
  return isJsonObject(value) ? value : undefined;
}

/** A text that is neither empty nor longer than `maxCharacters`. */
function textAt(json: JsonObject, name: string, maxCharacters: number): string | undefined {
  const value = json[name];
  return typeof value === "string" && value.length > 0 && value.length <= maxCharacters ? value : undefined;
}

function readBase64(text: string): Uint8Array | undefined {
  if (text.length === 0 || text.length > maxBlobCharacters || !base64.test(text)) return undefined;
  return new Uint8Array(Buffer.from(text, "base64"));
}

/** Fit for a log and a terminal: no control characters, no endless text. */
function printable(text: string, maxCharacters: number): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return plain.length <= maxCharacters ? plain : `${plain.slice(0, maxCharacters - 1)}…`;
}

const malformed = (fault: string): RegistrationAnswer => ({ kind: "malformed", fault });
