import type { SecureContext, SecureContextOptions } from "node:tls";
import type { LandfallError } from "./errors.ts";
import type { Secret } from "./secret.ts";

/**
 * A certificate and the private key that belongs to it, ready for TLS.
 * The key may be in a file, a token, a TPM or an MCU: nobody above sees which, and its bytes leave the implementation only where {@link exportKey} can give them away.
 */
export interface TlsIdentity {
  /** The certificates that are sent, PEM, leaf first, intermediates after it. */
  readonly certificateChain: string;
  /**
   * A TLS context that holds this identity, made on top of `base` (CAs, versions).
   * Rejects with `key.*` errors when the key cannot be used.
   */
  secureContext(base: SecureContextOptions): Promise<SecureContext>;
  /**
   * The `key.*` error for a handshake that failed with `cause` because the key did not sign; `undefined` when it failed for
   * another reason. Absent where a key cannot fail so. After it, ask for another context: the old one may be of no more use.
   */
  signingFailure?(cause: unknown): LandfallError | undefined;
  /**
   * The private key as PKCS#8 PEM, not encrypted, for a library that insists on holding it itself; landfall's own
   * transports never ask. Absent, or throwing `key.not-exportable`, where the key cannot leave its place.
   */
  exportKey?(): Secret;
}
