import { createPrivateKey, type KeyObject } from "node:crypto";
import { LandfallError } from "../errors.ts";
import type { Secret } from "../secret.ts";
import { readKeyFile } from "./key-file.ts";
import { MemoryTlsKey } from "./memory-tls-key.ts";
import type { OpenedKey } from "./tls-key.ts";

/** The kinds of block that OpenSSL and others write for a private key: PKCS#8 plain and encrypted, PKCS#1, SEC 1. */
const privateKeyBlock = /-----BEGIN ((?:ENCRYPTED |RSA |EC )?PRIVATE KEY)-----[\s\S]*?-----END \1-----/;

/**
 * Opens a private key in a PEM file; other blocks in the file are left aside.
 *
 * Rejects with `key.wrong-password` when the key is encrypted and the password is wrong or absent, `key.unusable` when
 * there is no key in the file or none of a supported kind, and like {@link readKeyFile}.
 * @param location a path or a `file://` URI
 * @param password of an encrypted key; not looked at otherwise
 */
export async function openPemKey(
  location: string,
  password?: Secret,
): Promise<OpenedKey & { readonly key: MemoryTlsKey }> {
  const { path, bytes, warnings } = await readKeyFile(location);
  const pem = privateKeyBlock.exec(bytes.toString("latin1"))?.[0];
  if (pem === undefined) {
    throw new LandfallError(
      "key.unusable",
      `Expected a PEM private key in ${path}; found ${describeContent(bytes.toString("latin1"))}.`,
    );
  }
  const encrypted = /^-----BEGIN ENCRYPTED|^Proc-Type: 4,ENCRYPTED/m.test(pem);
  if (encrypted && password === undefined) {
    throw new LandfallError("key.wrong-password", `The private key ${path} is encrypted and no password is set.`);
  }
  return { key: new MemoryTlsKey(parse(pem, path, encrypted ? password : undefined), path), warnings };
}

function parse(pem: string, path: string, password: Secret | undefined): KeyObject {
  try {
    return createPrivateKey(password === undefined ? pem : { key: pem, passphrase: password.reveal() });
  } catch (cause) {
    if (password !== undefined && isDecryptionFailure(cause)) {
      throw new LandfallError(
        "key.wrong-password",
        `The private key ${path} cannot be decrypted: the password is wrong, or the file is damaged.`,
        { cause },
      );
    }
    throw new LandfallError("key.unusable", `The private key ${path} cannot be parsed.`, { cause });
  }
}

/**
 * About one wrong password in 200 passes the padding check of the cipher, and what comes out cannot be decoded; OpenSSL
 * then says "unsupported". A cipher that it does not offer has another code.
 */
function isDecryptionFailure(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code === "ERR_OSSL_BAD_DECRYPT" || code === "ERR_OSSL_UNSUPPORTED";
}

function describeContent(text: string): string {
  const labels = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map(([, label]) => label);
  return labels.length > 0 ? labels.join(", ") : "no PEM block at all";
}
