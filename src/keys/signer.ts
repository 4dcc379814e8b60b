/**
 * Somebody who signs with HMAC-SHA256: a key in memory or, without ever showing it, a TPM. A credential is made over
 * this, so that whoever writes tokens never sees a key.
 */
export interface Signer {
  /**
   * The 32 bytes of the signature.
   * Rejects with `key.*` when the key cannot be used, and with `signal.reason`.
   */
  sign(bytes: Uint8Array, options?: { readonly signal?: AbortSignal | undefined }): Promise<Uint8Array>;
}
