import type { Enrollment } from "../enrollment.ts";
import {
  type AttestationVerdict,
  type Refusal,
  type RegistrationEvidence,
  tokenFault,
  unauthorized,
} from "../verdict.ts";
import { parseStorageKey, type StorageKey, type TpmKeys } from "./storage-key.ts";
import type { TpmChallenges } from "./tpm-challenges.ts";

/** The TPM of an individual enrollment. */
export interface EnrolledTpm {
  readonly endorsementKey: StorageKey;
  /** What stands in for the one that a device does not send. */
  readonly storageRootKey: StorageKey | undefined;
}

/**
 * Judges a device with a TPM. Without a token it is challenged, with one that answers the open challenge it has proven
 * itself: only the TPM with the enrolled endorsement key could read the key that signed it. The storage root key is the
 * device's to choose, since a TPM that was cleared has another.
 */
export function judgeTpm(
  enrollment: Enrollment,
  enrolled: EnrolledTpm,
  evidence: RegistrationEvidence,
  challenges: TpmChallenges,
): AttestationVerdict {
  if (evidence.transport !== "https") return unauthorized("a TPM is attested over HTTPS only");
  const { tpm } = evidence;
  if (tpm !== undefined && !enrolled.endorsementKey.encoded.equals(Buffer.from(tpm.endorsementKey, "base64"))) {
    const message = "Endorsement key is invalid, or does not match the Enrollment.";
    return badKey(message, "the endorsement key is not the enrolled one");
  }
  if (evidence.sasToken !== undefined) return judgeAnswer(enrollment, evidence, challenges);
  if (tpm === undefined) return unauthorized("expected a shared access signature or the keys of a TPM, found neither");
  const storageRootKey = storageRootKeyFor(tpm.storageRootKey, [
    challenges.storageRootKeyOf(enrollment),
    enrolled.storageRootKey,
  ]);
  if (typeof storageRootKey === "string") return badKey("Storage root key is invalid.", storageRootKey);
  const keys: TpmKeys = { endorsementKey: enrolled.endorsementKey, storageRootKey };
  return { kind: "challenged", enrollment, keys };
}

/** A registration takes an open challenge; what was proven with it holds for polls and look-ups. */
function judgeAnswer(
  enrollment: Enrollment,
  evidence: RegistrationEvidence,
  challenges: TpmChallenges,
): AttestationVerdict {
  const { step, nowMs } = evidence;
  const open = step === "poll" ? undefined : challenges.open(enrollment, nowMs);
  const answered = step === "register" ? undefined : challenges.answered(enrollment);
  let fault = "no challenge is open for it";
  for (const challenge of [open, answered]) {
    if (challenge === undefined) continue;
    const found = tokenFault([challenge.key], evidence);
    if (found === undefined) {
      if (challenge === open) challenges.close(enrollment, challenge);
      return { kind: "proven", enrollment, identity: { method: "tpm", keys: challenge.keys } };
    }
    fault = found;
  }
  return unauthorized(fault);
}

/** What the device sent, else what is known of it; why there is none, in words. */
function storageRootKeyFor(sent: string | undefined, known: readonly (StorageKey | undefined)[]): StorageKey | string {
  if (sent !== undefined) {
    const parsed = parseStorageKey(sent);
    return "name" in parsed ? parsed : `storage root key: expected ${parsed.expected}, found ${parsed.found}`;
  }
  return known.find((key) => key !== undefined) ?? "expected a storage root key, found none, and none is known";
}

function badKey(message: string, why: string): Refusal {
  return { kind: "refused", errorCode: 400004, message, why };
}
