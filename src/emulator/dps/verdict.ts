import type { X509Certificate } from "node:crypto";
import type { ClientTransport } from "../event-kinds.ts";
import { judgeSasToken, parseSasToken } from "../sas.ts";
import type { Enrollment } from "./enrollment.ts";
import type { TpmKeys } from "./tpm/storage-key.ts";

/** Who is who: what a device shows with each request, whatever carried it. */
export interface Requester {
  readonly idScope: string;
  readonly registrationId: string;
  readonly transport: ClientTransport;
  /** The password, or what follows `Authorization:`; absent with certificates. */
  readonly sasToken: string | undefined;
  /** As sent, leaf first. */
  readonly certificates: readonly X509Certificate[];
  /** Aborts when the MQTT connection has ended that the request came over; absent over HTTPS. */
  readonly connection?: AbortSignal;
}

/** What a device tells of its TPM, as it stands in the body: base64. */
export interface TpmEvidence {
  readonly endorsementKey: string;
  readonly storageRootKey?: string;
}

/** What is judged. */
export interface RegistrationEvidence extends Requester {
  readonly step: "register" | "poll" | "look-up";
  /** Absent where the body does not have it. */
  readonly tpm?: TpmEvidence | undefined;
  readonly nowMs: number;
}

/** What the device's identity at the hub is made of. */
export type ProvenIdentity =
  | { readonly method: "symmetric_key"; readonly primaryKey: string; readonly secondaryKey: string }
  | { readonly method: "x509"; readonly leaf: X509Certificate; readonly signer?: X509Certificate }
  | { readonly method: "tpm"; readonly keys: TpmKeys };

/** A device is not let in: what it is told, and why for the log. */
export interface Refusal {
  readonly kind: "refused";
  readonly errorCode: 400004 | 401002 | 404201;
  readonly message: string;
  readonly why: string;
}

/** The judgement. */
export type AttestationVerdict =
  | { readonly kind: "proven"; readonly enrollment: Enrollment; readonly identity: ProvenIdentity }
  | Refusal
  /** It has to come again with a signature by the key that this TPM can take in. */
  | { readonly kind: "challenged"; readonly enrollment: Enrollment; readonly keys: TpmKeys };

/** The credential is not good enough. */
export function unauthorized(why: string, message = "Unauthorized"): Refusal {
  return { kind: "refused", errorCode: 401002, message, why };
}

/** The value of `skn` in tokens for DPS, where there is one. */
export const registrationKeyName = "registration";

/** Why the token of a device does not prove that it has one of `keys` (base64), in words. */
export function tokenFault(
  keys: readonly string[],
  { sasToken, idScope, registrationId, nowMs }: RegistrationEvidence,
): string | undefined {
  if (sasToken === undefined) return "expected a shared access signature, found none";
  const resources = [`${idScope}/registrations/${registrationId}`];
  const fault = judgeSasToken(parseSasToken(sasToken), { resources, keys, nowMs, keyName: registrationKeyName });
  return fault === undefined ? undefined : `shared access signature: ${fault}`;
}
