import type { SecureContext, SecureContextOptions } from "node:tls";
import type { Clock } from "../clock.ts";
import { isLandfallError, LandfallError } from "../errors.ts";
import type { Secret } from "../secret.ts";
import type { TlsIdentity } from "../tls-identity.ts";
import { type CertificateChain, commonNames, isIssuedBy, toPem } from "./certificate-chain.ts";
import { checkValidity } from "./certificate-validity.ts";
import { isSamePublicKey } from "./same-public-key.ts";
import type { TlsKey } from "./tls-key.ts";

/** What a {@link CertificateIdentity} is made of. */
export interface CertificateIdentityParts {
  readonly chain: CertificateChain;
  /** Where the chain came from, for messages. */
  readonly certificateLocation: string;
  /** Belongs to the identity from then on, which closes it. */
  readonly key: TlsKey;
  readonly clock: Clock;
}

/** A certificate chain with the private key of its leaf, wherever that key lives. */
export class CertificateIdentity implements TlsIdentity, AsyncDisposable {
  readonly certificateChain: string;
  /** The common names of the leaf's subject; a device certificate has exactly one. */
  readonly commonNames: readonly string[];
  /** What a person should know although the identity can be used. */
  readonly warnings: readonly string[];
  readonly #key: TlsKey;
  readonly #location: string;

  /**
   * Checks that the parts fit each other. Throws `certificate.key-mismatch` when the key is not the leaf's, and
   * `certificate.not-valid-now` when a certificate is more than ten minutes outside its time; nearer than that is a
   * warning, because the machine's clock may be off by that much.
   */
  constructor({ chain, certificateLocation, key, clock }: CertificateIdentityParts) {
    checkKeyMatches(chain, certificateLocation, key);
    this.warnings = [...checkValidity(chain, clock.now()), ...findGaps(chain, certificateLocation)];
    this.certificateChain = toPem(chain);
    this.commonNames = commonNames(chain[0]);
    this.#key = key;
    this.#location = certificateLocation;
  }

  async secureContext(base: SecureContextOptions): Promise<SecureContext> {
    try {
      return await this.#key.secureContext({ ...base, cert: this.certificateChain });
    } catch (cause) {
      if (isLandfallError(cause)) throw cause;
      throw new LandfallError(
        "key.unusable",
        `TLS does not accept the certificates of ${this.#location} with the private key ${this.#key.location}.`,
        { cause },
      );
    }
  }

  signingFailure(cause: unknown): LandfallError | undefined {
    return this.#key.signingFailure?.(cause);
  }

  exportKey(): Secret {
    const exported = this.#key.exportKey?.();
    if (exported !== undefined) return exported;
    throw new LandfallError("key.not-exportable", `The private key ${this.#key.location} cannot leave its place.`);
  }

  /** Closes the key. Idempotent. */
  async close(): Promise<void> {
    await this.#key.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Compares the public halves. TLS itself would not notice for a key in hardware, and for others only while it makes
 * the context.
 */
function checkKeyMatches(chain: CertificateChain, certificateLocation: string, key: TlsKey): void {
  const position = chain.findIndex(({ publicKey }) => isSamePublicKey(publicKey, key.publicKey));
  if (position === 0) return;
  const hint =
    position > 0 ? ` It belongs to certificate ${position + 1} there; the device's own has to come first.` : "";
  throw new LandfallError(
    "certificate.key-mismatch",
    `The private key ${key.location} does not belong to the first certificate of ${certificateLocation}.${hint}`,
  );
}

/** A chain with a gap is a likely cause of a 401 from DPS, which verifies only what it is sent. */
function findGaps(chain: CertificateChain, certificateLocation: string): readonly string[] {
  return chain.flatMap((certificate, index) => {
    const issuer = chain[index + 1];
    if (issuer === undefined || isIssuedBy(certificate, issuer)) return [];
    return [`In ${certificateLocation}, certificate ${index + 1} was not issued by certificate ${index + 2}.`];
  });
}
