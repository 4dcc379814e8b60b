import type { JsonObject } from "../json.ts";
import type { SasCredential } from "../keys/credential.ts";
import type { Attestation } from "./attestation.ts";

/** Attestation by a symmetric key that the service has too. The same key serves DPS and the assigned hub. */
export class SymmetricKeyAttestation implements Attestation {
  readonly method = "symmetric_key";
  readonly registrationId: string;
  readonly #credential: SasCredential;

  /**
   * @param registrationId checked already
   * @param credential of the device's own key, not the group's
   */
  constructor(registrationId: string, credential: SasCredential) {
    this.registrationId = registrationId;
    this.#credential = credential;
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

  /** Does nothing: the key is in this process's memory, or in an MCU whose link is somebody else's. */
  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
