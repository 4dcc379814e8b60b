import type { TpmLocation } from "../../config/tpm-location.ts";
import { Secret } from "../../secret.ts";
import { parseTpmKeyFile } from "./key-file.ts";
import { deviceOpener } from "./open-device.ts";
import { Tpm } from "./tpm.ts";
import { TpmDigestSigner, type TpmKeyPlace } from "./tpm-digest-signer.ts";

/** Which key to sign with; it can be copied between threads. */
export interface TpmSignerOptions {
  readonly location: TpmLocation;
  readonly key:
    | { readonly kind: "handle"; readonly handle: number }
    | { readonly kind: "file"; readonly path: string; readonly pem: string };
  /** Of the key. Absent: it has none. */
  readonly password?: string;
}

/** Opens the TPM and the key. Rejects with `tpm.*`, or `key.unusable` for a file that holds no key; nothing stays open then. */
export async function openTpmSigner({ location, key, password }: TpmSignerOptions): Promise<TpmDigestSigner> {
  const tpm = new Tpm({ open: deviceOpener(location) });
  try {
    const secret = password === undefined ? undefined : new Secret<Uint8Array>(Buffer.from(password));
    return await TpmDigestSigner.open(tpm, placeOf(key), secret);
  } catch (error) {
    await tpm.close();
    throw error;
  }
}

function placeOf(key: TpmSignerOptions["key"]): TpmKeyPlace {
  if (key.kind === "handle") return { kind: "persistent", handle: key.handle };
  return { kind: "file", path: key.path, key: parseTpmKeyFile(key.pem, key.path) };
}
