import type { KeyObject } from "node:crypto";

/**
 * Somebody who signs digests with a key on P-256 that he alone has: a TPM, a microcontroller.
 *
 * TLS waits for the signature without letting its thread do anything else, so the signer and all that he needs (a line to
 * the hardware, say) live in another thread than the one that TLS runs on.
 */
export interface DigestSigner extends AsyncDisposable {
  /** The public half, on P-256. */
  readonly publicKey: KeyObject;
  /**
   * The ECDSA signature of a digest of 32 bytes, in DER.
   * Rejects with the error of whatever the key is in (`tpm.*` …), and with `signal.reason`.
   */
  sign(digest: Uint8Array, options?: { readonly signal?: AbortSignal | undefined }): Promise<Uint8Array>;
  /** Lets go of the key. Idempotent. */
  close(): Promise<void>;
}
