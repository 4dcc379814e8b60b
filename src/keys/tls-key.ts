import type { KeyObject } from "node:crypto";
import type { SecureContext, SecureContextOptions } from "node:tls";
import type { LandfallError } from "../errors.ts";
import type { Secret } from "../secret.ts";

/**
 * A private key that TLS can use, wherever it lives: in a file, a token, a TPM or an MCU. Those who hold one can have
 * TLS sign with it and can see its public half; the private half crosses this seam only for a library that insists on
 * holding it, and only where it can.
 *
 * The key makes the TLS context itself because that is where places differ: a key in memory is handed over, a key in
 * hardware is named to an OpenSSL engine or provider that has to be found first.
 */
export interface TlsKey extends AsyncDisposable {
  /** Where the key lives, for people: a path or a URI, without PIN or password. */
  readonly location: string;
  /** The public half. It is known as soon as the key is open, and was found to be of a supported kind. */
  readonly publicKey: KeyObject;
  /**
   * A TLS context that signs with this key, made on top of `base`, which holds the certificates.
   * Rejects with `key.*` when the key cannot be used, and after {@link close}.
   */
  secureContext(base: SecureContextOptions): Promise<SecureContext>;
  /** What a failed handshake came to if it was this key's doing; see `TlsIdentity.signingFailure`. Absent for a key in memory. */
  signingFailure?(cause: unknown): LandfallError | undefined;
  /** The private half as PKCS#8 PEM, not encrypted. Absent where it cannot leave its place. Throws `key.*` after {@link close}. */
  exportKey?(): Secret;
  /** Releases what holds the key: memory, a session of a token, a serial line. Idempotent. */
  close(): Promise<void>;
}

/** A key that was opened, and what a person should know although it can be used. */
export interface OpenedKey {
  readonly key: TlsKey;
  readonly warnings: readonly string[];
}
