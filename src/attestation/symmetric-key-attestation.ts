import type { JsonObject } from "../json.ts";
import type { SasCredential } from "../keys/credential.ts";
import type { Signer } from "../keys/signer.ts";
import type { Attestation } from "./attestation.ts";
import { sasCredential } from "./sas-token.ts";

/** Attestation by a symmetric key that the service has too. The same key serves DPS and the assigned hub. */
export class SymmetricKeyAttestation implements Attestation {
  readonly method = "symmetric_key";
  readonly registrationId: string;
  readonly #credential: SasCredential;

  /**
   * @param registrationId checked already
   * @param key the device's own key, not the group's
   */
  constructor(registrationId: string, key: Signer) {
    this.registrationId = registrationId;
    this.#credential = sasCredential(key);
  }

  async evidence(): Promise<JsonObject> {
    return {};
  }

  async credential(): Promise<SasCredential> {
    return this.#credential;
  }

  async hubCredential(): Promise<SasCredential> {
    return this.#credential;
  }

  /** Does nothing: the key is in this process's memory. */
  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
