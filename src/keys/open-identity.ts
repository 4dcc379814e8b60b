import type { Clock } from "../clock.ts";
import type { Secret } from "../secret.ts";
import { CertificateIdentity, type CertificateIdentityParts } from "./certificate-identity.ts";
import type { OpenedMcu } from "./mcu/opened-mcu.ts";
import { openCertificates } from "./open-certificates.ts";
import { openKey } from "./open-key.ts";
import { openPkcs12 } from "./pkcs12.ts";

/** Where certificate and key are: a pair, or one PKCS#12 file. Each place is a path or a URI. */
export type IdentitySource = PairSource | Pkcs12Source;

/** A PEM certificate chain, leaf first, or a certificate in a token; and a key, in a file or in hardware. */
export interface PairSource {
  readonly kind: "pem";
  readonly certificate: string;
  readonly privateKey: string;
  /** Of an encrypted key, or the PIN of a token. */
  readonly password?: Secret;
}

/** A PKCS#12 file. */
export interface Pkcs12Source {
  readonly kind: "pkcs12";
  readonly file: string;
  readonly password?: Secret;
}

/** An identity, and what a person should know although it can be used. */
export interface OpenedIdentity {
  readonly identity: CertificateIdentity;
  readonly warnings: readonly string[];
}

/**
 * Opens certificate and key and checks that they fit each other. Rejects with `key.*`, `certificate.*` or
 * `config.secret-unreadable`; nothing stays open then.
 */
export async function openIdentity(
  source: IdentitySource,
  { clock, mcu }: { readonly clock: Clock; readonly mcu?: OpenedMcu | undefined },
): Promise<OpenedIdentity> {
  const { warnings, ...parts } = source.kind === "pem" ? await openPair(source, mcu) : await openFile(source);
  try {
    const identity = new CertificateIdentity({ ...parts, clock });
    return { identity, warnings: [...warnings, ...identity.warnings] };
  } catch (error) {
    await parts.key.close();
    throw error;
  }
}

type OpenedParts = Omit<CertificateIdentityParts, "clock"> & { readonly warnings: readonly string[] };

async function openPair(
  { certificate, privateKey, password }: PairSource,
  mcu: OpenedMcu | undefined,
): Promise<OpenedParts> {
  const { chain, location, ...opened } = await openCertificates(certificate, mcu?.link);
  const { key, warnings } = await openKey(privateKey, { password, certificate: chain[0], mcu });
  return { chain, certificateLocation: location, key, warnings: unique([...opened.warnings, ...warnings]) };
}

async function openFile({ file, password }: Pkcs12Source): Promise<OpenedParts> {
  const { chain, key, path, warnings } = await openPkcs12(file, password);
  return { chain, certificateLocation: path, key, warnings };
}

/** Certificate and key may be in one file, which then is warned about twice. */
function unique(warnings: readonly string[]): readonly string[] {
  return [...new Set(warnings)];
}
