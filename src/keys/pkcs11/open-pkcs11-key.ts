import type { X509Certificate } from "node:crypto";
import { type Pkcs11Uri, parsePkcs11Uri } from "../../config/pkcs11-uri.ts";
import { LandfallError } from "../../errors.ts";
import type { Secret } from "../../secret.ts";
import type { OpenedKey } from "../tls-key.ts";
import { findPin } from "./pin.ts";
import { Pkcs11TlsKey } from "./pkcs11-tls-key.ts";

/**
 * Opens a private key in a token for TLS. Rejects like {@link readPkcs11Uri}, {@link findPin} and
 * {@link Pkcs11TlsKey.open}.
 * @param location a `pkcs11:` URI
 * @param pin stands over the one that the URI names
 */
export async function openPkcs11Key(
  location: string,
  { pin: given, certificate }: { readonly pin: Secret | undefined; readonly certificate: X509Certificate },
): Promise<OpenedKey> {
  const uri = readPkcs11Uri(location);
  const { pin, warnings } = await findPin(uri, given);
  return { key: await Pkcs11TlsKey.open(uri, { pin, certificate }), warnings };
}

/** The parts of a `pkcs11:` URI. Throws `key.invalid-uri`, which shows nothing of it. */
export function readPkcs11Uri(text: string): Pkcs11Uri {
  const result = parsePkcs11Uri(text);
  if ("value" in result) return result.value;
  const { expected, found } = result.problem;
  throw new LandfallError("key.invalid-uri", `Expected ${expected}; found ${found}.`);
}
