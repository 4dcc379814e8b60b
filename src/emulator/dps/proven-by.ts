import type { JsonObject } from "../../json.ts";
import type { Random } from "../randomness.ts";
import { certificateInfo } from "./answers.ts";
import type { Assigned } from "./assignments.ts";
import type { Enrollment } from "./enrollment.ts";
import { makeActivationBlob, newActivationNonces } from "./tpm/activation-blob.ts";
import type { ProvenIdentity } from "./verdict.ts";

/**
 * The member of a registration state that goes with the way of attestation. A TPM gets its key for the hub in it, so this
 * is the one with a secret.
 */
export function provenBy(
  identity: ProvenIdentity,
  { kind, id }: Enrollment,
  { hub, record, authentication }: Assigned,
  random: Random,
): JsonObject {
  const group = kind === "group" ? { enrollmentGroupId: id } : {};
  switch (identity.method) {
    case "symmetric_key":
      return { symmetricKey: group };
    case "x509": {
      const signer = identity.signer && { signingCertificateInfo: certificateInfo(identity.signer) };
      return { x509: { certificateInfo: certificateInfo(identity.leaf), ...group, ...signer } };
    }
    case "tpm": {
      if (authentication.kind !== "symmetric_key") return {};
      const key = Buffer.from(authentication.primaryKey, "base64");
      const note = `${hub.hostName}/devices/${record.deviceId}`;
      const blob = makeActivationBlob({ keys: identity.keys, key, note, nonces: newActivationNonces(random) });
      return { tpm: { authenticationKey: blob.toString("base64") } };
    }
  }
}
