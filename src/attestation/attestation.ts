import type { JsonObject } from "../json.ts";
import type { Credential } from "../keys/credential.ts";

/** The ways of attestation that DPS knows. */
export type AttestationMethod = "x509" | "symmetric_key" | "tpm";

/** What every call takes last that may wait for slow hardware. */
export interface AttestationCallOptions {
  /** Aborting rejects the call with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Who we are to DPS. An implementation sits over a key in `keys/`; key bytes never cross this seam, only certificates
 * and signatures do.
 */
export interface Attestation extends AsyncDisposable {
  readonly method: AttestationMethod;
  /** Checked against the rules of DPS when the attestation was made. */
  readonly registrationId: string;
  /** Members that go into the register body beside the registration id (TPM: EK and SRK). */
  evidence(options?: AttestationCallOptions): Promise<JsonObject>;
  /** The credential for DPS; `undefined` while there is none before a challenge (TPM). */
  credential(options?: AttestationCallOptions): Promise<Credential | undefined>;
  /**
   * Answers the challenge of DPS with the credential for the second attempt (TPM: activates the blob).
   * Absent where the method knows no challenge.
   */
  answer?(challenge: Uint8Array, options?: AttestationCallOptions): Promise<Credential>;
  /**
   * The credential for the assigned hub.
   * @param activation the second TPM blob of the assignment; other methods ignore it
   */
  hubCredential(activation?: Uint8Array, options?: AttestationCallOptions): Promise<Credential>;
  /** Releases the key (closes the token, the TPM, the serial line). Idempotent. */
  close(): Promise<void>;
}
