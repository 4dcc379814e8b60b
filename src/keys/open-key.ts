import type { X509Certificate } from "node:crypto";
import { isPkcs11Uri } from "../config/pkcs11-uri.ts";
import { LandfallError } from "../errors.ts";
import type { Secret } from "../secret.ts";
import { openPemKey } from "./pem-key.ts";
import type { OpenedKey } from "./tls-key.ts";

/** What a key may need to be opened. */
export interface KeyOpening {
  /** Of an encrypted key, or the PIN of a token. */
  readonly password: Secret | undefined;
  /** The certificate that the key should belong to. A key in hardware is compared with it as it is opened. */
  readonly certificate: X509Certificate | undefined;
}

/**
 * Opens the key at `location`, which decides where it is looked for, and there alone: no other key takes the place of one
 * in hardware that cannot be used.
 *
 * Rejects with `key.*`; with `certificate.key-mismatch` for a key in hardware that is another certificate's.
 */
export async function openKey(location: string, { password, certificate }: KeyOpening): Promise<OpenedKey> {
  if (!isPkcs11Uri(location)) return openPemKey(location, password);
  // Loaded here because few devices have a token.
  const { openPkcs11Key } = await import("./pkcs11/open-pkcs11-key.ts");
  return openPkcs11Key(location, { pin: password, certificate: required(certificate) });
}

function required(certificate: X509Certificate | undefined): X509Certificate {
  if (certificate !== undefined) return certificate;
  throw new LandfallError("certificate.unusable", "A key in hardware cannot be looked at without its certificate.");
}
