import { createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { isPkcs11Uri } from "../config/pkcs11-uri.ts";
import { isTpmUri } from "../config/tpm-uri.ts";
import type { Secret } from "../secret.ts";
import { pathOf } from "./key-location.ts";
import { writeNew } from "./write-new.ts";

/** What key is to be made: P-256, or RSA of 2048 bits. */
export type NewKeyType = "ec" | "rsa";

/** How a key is made. */
export interface KeyCreation {
  readonly type: NewKeyType;
  /** To encrypt a file with, the new password of a key in a TPM, or the PIN of a token. */
  readonly password?: Secret | undefined;
  /** Of the TPM's owner, where one is set. Of no use elsewhere. */
  readonly ownerPassword?: Secret | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes a private key at `location` (a path, a `pkcs11:` URI or a `tpm:` URI), and in hardware it never is anywhere else.
 * Nothing that is there already is replaced. Resolves with the public half.
 *
 * Rejects with `key.*` or `tpm.*`, and with `signal.reason`.
 */
export async function createKey(location: string, creation: KeyCreation): Promise<KeyObject> {
  if (isPkcs11Uri(location)) {
    const { createTokenKey } = await import("./pkcs11/create-token-key.ts");
    return createTokenKey(location, creation);
  }
  if (isTpmUri(location)) {
    const { createTpmKey } = await import("./tpm/create-tpm-key.ts");
    return createTpmKey(location, creation);
  }
  return createFile(pathOf(location), creation);
}

async function createFile(path: string, { type, password }: KeyCreation): Promise<KeyObject> {
  const make = promisify(generateKeyPair);
  const { privateKey } =
    type === "rsa" ? await make("rsa", { modulusLength: 2048 }) : await make("ec", { namedCurve: "P-256" });
  const encryption = password === undefined ? {} : { cipher: "aes-256-cbc", passphrase: password.reveal() };
  const pem = privateKey.export({ type: "pkcs8", format: "pem", ...encryption });
  await writeNew(path, pem.toString());
  return createPublicKey(privateKey);
}
