import type { SecureContext, SecureContextOptions } from "node:tls";

/**
 * A certificate and the private key that belongs to it, ready for TLS.
 * The key may be in a file, a token, a TPM or an MCU: nobody above sees which, and key bytes never leave the implementation.
 */
export interface TlsIdentity {
  /** The certificates that are sent, PEM, leaf first, intermediates after it. */
  readonly certificateChain: string;
  /**
   * A TLS context that holds this identity, made on top of `base` (CAs, versions).
   * Rejects with `key.*` errors when the key cannot be used.
   */
  secureContext(base: SecureContextOptions): Promise<SecureContext>;
}
