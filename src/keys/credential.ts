import type { Secret } from "../secret.ts";
import type { TlsIdentity } from "../tls-identity.ts";

/** What a shared access signature token is wanted for. */
export interface SasRequest {
  /**
   * The resource, not yet percent-encoded: `{idScope}/registrations/{registrationId}` for DPS,
   * `{hub}/devices/{deviceId}` for a hub.
   */
  readonly resource: string;
  /** Value of the token's `skn` field: `registration` for DPS, absent for a hub's device token. */
  readonly keyName?: string;
  /** Wanted expiry, milliseconds since the Unix epoch. A signer with a ceiling of its own may shorten it. */
  readonly expiresAtMs: number;
}

/** A shared access signature token. */
export interface SasToken {
  /** The whole text, from `SharedAccessSignature sr=` on. */
  readonly text: Secret;
  /** The expiry written in it, milliseconds since the Unix epoch. */
  readonly expiresAtMs: number;
}

/**
 * What proves who the device is, once to DPS and once to the hub. A transport knows these two kinds and nothing of
 * attestation: a certificate goes into the TLS handshake, a token into CONNECT or the Authorization header.
 */
export type Credential = CertificateCredential | SasCredential;

/** A TLS client certificate. */
export interface CertificateCredential {
  readonly kind: "certificate";
  readonly identity: TlsIdentity;
}

/** Somebody who makes tokens: a key in memory, a TPM, or an MCU that insists on writing the token itself. */
export interface SasCredential {
  readonly kind: "sas";
  /** Makes a token. Rejects with a `key.*` or `attestation.*` error when the signer cannot be used. */
  token(request: SasRequest, options?: { readonly signal?: AbortSignal | undefined }): Promise<SasToken>;
}
