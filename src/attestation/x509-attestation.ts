import type { JsonObject } from "../json.ts";
import type { CertificateIdentity } from "../keys/certificate-identity.ts";
import type { CertificateCredential } from "../keys/credential.ts";
import type { Attestation } from "./attestation.ts";

/** Attestation by a certificate, shown in the TLS handshake. The same certificate serves DPS and the assigned hub. */
export class X509Attestation implements Attestation {
  readonly method = "x509";
  readonly registrationId: string;
  readonly #identity: CertificateIdentity;

  /**
   * @param registrationId checked already, also against the certificate
   * @param identity belongs to the attestation from then on, which closes it
   */
  constructor(registrationId: string, identity: CertificateIdentity) {
    this.registrationId = registrationId;
    this.#identity = identity;
  }

  /** Nothing: the certificate travels in the handshake. */
  async evidence(): Promise<JsonObject> {
    return {};
  }

  async credential(): Promise<CertificateCredential> {
    return { kind: "certificate", identity: this.#identity };
  }

  async hubCredential(): Promise<CertificateCredential> {
    return this.credential();
  }

  async close(): Promise<void> {
    await this.#identity.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
