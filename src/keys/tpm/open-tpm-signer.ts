import type { TpmLocation } from "../../config/tpm-location.ts";
import { LandfallError } from "../../errors.ts";
import { Secret } from "../../secret.ts";
import { handleType } from "./constants.ts";
import { parseTpmKeyFile, type TpmKeyFile } from "./key-file.ts";
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

/**
 * Opens the TPM and the key. Rejects with `tpm.*`, or `key.unusable` for a file that holds no key which can be loaded here;
 * nothing stays open then.
 */
export async function openTpmSigner({ location, key, password }: TpmSignerOptions): Promise<TpmDigestSigner> {
  const place = placeOf(key);
  if (place.kind === "file") requireUsable(place.key, place.path, password !== undefined);
  const tpm = new Tpm({ open: deviceOpener(location) });
  try {
    const secret = password === undefined ? undefined : new Secret<Uint8Array>(Buffer.from(password));
    return await TpmDigestSigner.open(tpm, place, secret);
  } catch (error) {
    await tpm.close();
    throw error;
  }
}

function placeOf(key: TpmSignerOptions["key"]): TpmKeyPlace {
  if (key.kind === "handle") return { kind: "persistent", handle: key.handle };
  return { kind: "file", path: key.path, key: parseTpmKeyFile(key.pem, key.path) };
}

/** What can be told without the TPM, which would say less, or count a wrong password. */
function requireUsable({ parent, emptyPassword }: TpmKeyFile, path: string, hasPassword: boolean): void {
  if (parent >>> 24 !== handleType.persistent) {
    throw new LandfallError(
      "key.unusable",
      `Expected the key in ${path} to lie under a key that stays in the TPM (0x81…); found the parent ` +
        `0x${parent.toString(16)}, under which some tools make a key anew each time.`,
    );
  }
  if (emptyPassword || hasPassword) return;
  throw new LandfallError("tpm.wrong-password", `The key in ${path} has a password, and none is set.`);
}
