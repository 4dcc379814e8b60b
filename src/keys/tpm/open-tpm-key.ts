import { defaultTpmLocation, parseTpmLocation, type TpmLocation } from "../../config/tpm-location.ts";
import { formatTpmUri, isTpmUri, parseTpmUri, type TpmUri } from "../../config/tpm-uri.ts";
import { LandfallError } from "../../errors.ts";
import type { Secret } from "../../secret.ts";
import { EngineTlsKey } from "../engine/engine-tls-key.ts";
import { SigningThread } from "../engine/signing-thread.ts";
import { readKeyFile } from "../key-file.ts";
import type { OpenedKey } from "../tls-key.ts";
import type { TpmSignerOptions } from "./open-tpm-signer.ts";
import { tpmSigningThread } from "./signing-thread-program.ts";

/**
 * Opens a private key in a TPM for TLS. Rejects with `key.invalid-uri`, `key.engine-missing`, `key.unusable`, `tpm.*`, and
 * like {@link readKeyFile}.
 * @param location a `tpm:` URI, or the path of a file with a TSS2 PRIVATE KEY
 * @param password of the key
 */
export async function openTpmKey(location: string, password: Secret | undefined): Promise<OpenedKey> {
  const { options, warnings } = await tpmSignerOptions(location, password);
  const title = isTpmUri(location) ? formatTpmUri(readTpmUri(location)) : location;
  const start = () => SigningThread.start(tpmSigningThread, options);
  const key = await EngineTlsKey.open({ location: title, start });
  return { key, warnings };
}

/** What a signer for the key is opened with. Rejects with `key.invalid-uri`, and like {@link readKeyFile}. */
export async function tpmSignerOptions(
  location: string,
  password: Secret | undefined,
): Promise<{ readonly options: TpmSignerOptions; readonly warnings: readonly string[] }> {
  const secret = password === undefined ? {} : { password: password.reveal() };
  const uri: TpmUri = isTpmUri(location)
    ? readTpmUri(location)
    : { key: { kind: "file", path: location }, location: defaultLocation() };
  if (uri.key.kind === "handle") return { options: { location: uri.location, key: uri.key, ...secret }, warnings: [] };
  const { path, bytes, warnings } = await readKeyFile(uri.key.path);
  const key = { kind: "file", path, pem: bytes.toString("latin1") } as const;
  return { options: { location: uri.location, key, ...secret }, warnings };
}

/** The parts of a `tpm:` URI. Throws `key.invalid-uri`. */
export function readTpmUri(text: string): TpmUri {
  const result = parseTpmUri(text);
  if ("value" in result) return result.value;
  const { expected, found } = result.problem;
  throw new LandfallError("key.invalid-uri", `Expected ${expected}; found ${found}.`);
}

function defaultLocation(): TpmLocation {
  return parseTpmLocation(defaultTpmLocation) ?? { kind: "device", path: "/dev/tpmrm0" };
}
