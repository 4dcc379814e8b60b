import type { X509Certificate } from "node:crypto";
import { inMcu } from "../config/mcu-place.ts";
import { isPkcs11Uri } from "../config/pkcs11-uri.ts";
import { isTpmUri } from "../config/tpm-uri.ts";
import { LandfallError } from "../errors.ts";
import type { Secret } from "../secret.ts";
import { readKeyFile } from "./key-file.ts";
import { type OpenedMcu, requireMcu } from "./mcu/opened-mcu.ts";
import { openPemKey } from "./pem-key.ts";
import type { OpenedKey } from "./tls-key.ts";

/** What a key may need to be opened. */
export interface KeyOpening {
  /** Of an encrypted key or a key in a TPM, or the PIN of a token. */
  readonly password: Secret | undefined;
  /** The certificate that the key should belong to. A key in hardware is compared with it as it is opened. */
  readonly certificate: X509Certificate | undefined;
  /** The MCU that may have the key. */
  readonly mcu?: OpenedMcu | undefined;
}

/**
 * Opens the key at `location`, which decides where it is looked for, and there alone: no other key takes the place of one
 * in hardware that cannot be used.
 *
 * Rejects with `key.*`; with `certificate.key-mismatch` for a key in hardware that is another certificate's.
 */
export async function openKey(location: string, { password, certificate, mcu }: KeyOpening): Promise<OpenedKey> {
  if (location === inMcu) return { key: requireMcu(mcu?.tlsKey), warnings: [] };
  // What knows about hardware is loaded where it is needed, because few devices have any.
  if (isPkcs11Uri(location)) {
    const { openPkcs11Key } = await import("./pkcs11/open-pkcs11-key.ts");
    return openPkcs11Key(location, { pin: password, certificate: required(certificate) });
  }
  if (isTpmUri(location) || (await holdsTpmKey(location))) {
    const { openTpmKey } = await import("./tpm/open-tpm-key.ts");
    return openTpmKey(location, password);
  }
  return openPemKey(location, password);
}

/** Whether the file at `location` holds a key that a TPM has wrapped. Rejects like {@link readKeyFile}. */
export async function holdsTpmKey(location: string): Promise<boolean> {
  const { bytes } = await readKeyFile(location);
  return bytes.includes("-----BEGIN TSS2 PRIVATE KEY-----");
}

function required(certificate: X509Certificate | undefined): X509Certificate {
  if (certificate !== undefined) return certificate;
  throw new LandfallError("certificate.unusable", "A key in hardware cannot be looked at without its certificate.");
}
