import { createHash, createPrivateKey, type KeyObject, sign } from "node:crypto";
import { isPkcs11Uri } from "../config/pkcs11-uri.ts";
import { isTpmUri } from "../config/tpm-uri.ts";
import type { Secret } from "../secret.ts";
import type { RequestSigner } from "./certificate-request.ts";
import type { DigestSigner } from "./digest-signer.ts";
import { holdsTpmKey } from "./open-key.ts";
import { openPemKey } from "./pem-key.ts";
import { openPkcs12 } from "./pkcs12.ts";

/**
 * Opens the key at `location` for certificate requests; it needs no certificate, and no engine. Places are the same as for
 * `openKey`, and PKCS#12 files, whose names end in `.p12` or `.pfx`.
 *
 * Rejects with `key.*`, `tpm.*` or `config.secret-unreadable`; nothing stays open then.
 * @param password of an encrypted key or a key in a TPM, or the PIN of a token
 */
export async function openRequestSigner(location: string, password: Secret | undefined): Promise<RequestSigner> {
  if (isPkcs11Uri(location)) {
    const { TokenRequestSigner } = await import("./pkcs11/token-request-signer.ts");
    return TokenRequestSigner.open(location, password);
  }
  if (isTpmUri(location) || (await holdsTpmKey(location))) {
    const { tpmSignerOptions } = await import("./tpm/open-tpm-key.ts");
    const { openTpmSigner } = await import("./tpm/open-tpm-signer.ts");
    const { options } = await tpmSignerOptions(location, password);
    return overDigests(await openTpmSigner(options));
  }
  const { key } = await (isPkcs12(location) ? openPkcs12(location, password) : openPemKey(location, password));
  const pem = key.exportKey().reveal();
  await key.close();
  return inMemory(createPrivateKey(pem), key.publicKey);
}

/** A PKCS#12 file is nothing but binary, so its name has to tell. */
function isPkcs12(location: string): boolean {
  return /\.(p12|pfx)$/i.test(location);
}

/** Has hardware that signs digests sign requests. It is closed with what is returned. */
export function overDigests(signer: DigestSigner): RequestSigner {
  return {
    publicKey: signer.publicKey,
    sign: (bytes, options) => signer.sign(createHash("sha256").update(bytes).digest(), options),
    [Symbol.asyncDispose]: () => signer.close(),
  };
}

function inMemory(privateKey: KeyObject, publicKey: KeyObject): RequestSigner {
  return {
    publicKey,
    sign: async (bytes) => sign("sha256", bytes, privateKey),
    [Symbol.asyncDispose]: async () => {},
  };
}
