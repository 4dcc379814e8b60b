import { createHash } from "node:crypto";
import type { JsonObject } from "../json.ts";
import type { SasCredential } from "../keys/credential.ts";
import type { TpmIdentity } from "../keys/tpm/tpm-identity.ts";
import type { Attestation, AttestationCallOptions } from "./attestation.ts";
import { sasCredential } from "./sas-token.ts";

/**
 * Attestation by a TPM 2.0. DPS knows the endorsement key from the enrollment and sends keys that only this TPM can take
 * in: one in a challenge, to sign the registration with, and one with the assignment, to sign for the hub.
 */
export class TpmAttestation implements Attestation {
  readonly method = "tpm";
  readonly registrationId: string;
  readonly #identity: TpmIdentity;

  /**
   * @param registrationId checked already
   * @param identity belongs to the attestation from then on, which closes it
   */
  constructor(registrationId: string, identity: TpmIdentity) {
    this.registrationId = registrationId;
    this.#identity = identity;
  }

  /**
   * Both root keys. They are read from the TPM each time: a TPM that was cleared has another storage root key.
   * Rejects with `tpm.*`.
   */
  async evidence(options?: AttestationCallOptions): Promise<JsonObject> {
    const { endorsementKey, storageRootKey } = await this.#identity.rootKeys(options);
    return {
      tpm: { endorsementKey: endorsementKey.toString("base64"), storageRootKey: storageRootKey.toString("base64") },
    };
  }

  /** None: the key to sign with comes by the challenge. */
  async credential(): Promise<undefined> {
    return undefined;
  }

  /** Rejects with `tpm.*`, `tpm.activation-failed` above all. */
  async answer(challenge: Uint8Array, options?: AttestationCallOptions): Promise<SasCredential> {
    return sasCredential(await this.#identity.activateForRegistration(challenge, options));
  }

  /**
   * With an activation, its key takes the place of an earlier one in the TPM; without, the key of an earlier assignment
   * signs. Whether that is there shows when it signs: `tpm.identity-missing`.
   * Rejects with `tpm.*` when there is an activation.
   */
  async hubCredential(activation?: Uint8Array, options?: AttestationCallOptions): Promise<SasCredential> {
    if (activation === undefined) return sasCredential(this.#identity.hubSigner());
    return sasCredential(await this.#identity.activateForHub(activation, options));
  }

  /** Lets go of the TPM; its keys stay where they are. */
  async close(): Promise<void> {
    await this.#identity.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * The registration id of a device that has no other: SHA-256 of its endorsement key (TPM2B_PUBLIC), in base32 without
 * padding, in small letters; 52 characters. Azure's own libraries make the same of it.
 */
export function registrationIdOf(endorsementKey: Uint8Array): string {
  return base32(createHash("sha256").update(endorsementKey).digest());
}

const alphabet = "abcdefghijklmnopqrstuvwxyz234567";

function base32(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
  const groups = bits.match(/.{1,5}/g) ?? [];
  return groups.map((group) => alphabet[Number.parseInt(group.padEnd(5, "0"), 2)]).join("");
}
