import { createPrivateKey, createPublicKey, type KeyObject, type X509Certificate } from "node:crypto";
import { LandfallError } from "../errors.ts";
import type { Secret } from "../secret.ts";
import { type CertificateChain, chainFrom, parseCertificate } from "./certificate-chain.ts";
import { readKeyFile } from "./key-file.ts";
import { MemoryTlsKey } from "./memory-tls-key.ts";
import type { Pkcs12Bags } from "./pkcs12-bags.ts";
import { isSamePublicKey } from "./same-public-key.ts";

/** What a PKCS#12 file gives. */
export interface Pkcs12Contents {
  /** The key's certificate first, then its issuers upwards, as far as the file has them. */
  readonly chain: CertificateChain;
  readonly key: MemoryTlsKey;
  readonly path: string;
  readonly warnings: readonly string[];
}

/**
 * Opens a PKCS#12 file (`.p12`, `.pfx`) that holds a private key and its certificate.
 *
 * Rejects with `key.wrong-password`; `key.unusable` when the file cannot be read or holds no private key of a supported
 * kind; `certificate.unusable` when it holds no certificate; and like {@link readKeyFile}.
 * @param location a path or a `file://` URI
 * @param password absent: the file has none, or an empty one
 */
export async function openPkcs12(location: string, password?: Secret): Promise<Pkcs12Contents> {
  const { path, bytes, warnings } = await readKeyFile(location);
  const bags = await open(bytes, path, password);
  const certificates = bags.certificates.map((der) => parseCertificate(der, `a certificate in ${path}`));
  const { privateKey, leaf } = choosePair(
    bags.privateKeys.map((der) => parseKey(der, path)),
    certificates,
    path,
  );
  return { chain: chainFrom(leaf, certificates), key: new MemoryTlsKey(privateKey, path), path, warnings };
}

async function open(bytes: Uint8Array, path: string, password: Secret | undefined): Promise<Pkcs12Bags> {
  // Loaded here because few devices have a PKCS#12 file and its reader is the heaviest part of this room.
  const { openBags, Pkcs12Failure } = await import("./pkcs12-bags.ts");
  try {
    return openBags(bytes, password?.reveal());
  } catch (cause) {
    if (cause instanceof Pkcs12Failure && cause.reason === "password") {
      const message = password
        ? `The password of ${path} is wrong, or the file is damaged.`
        : `${path} is encrypted and no password is set.`;
      throw new LandfallError("key.wrong-password", message, { cause: cause.cause });
    }
    throw new LandfallError(
      "key.unusable",
      `Expected a PKCS#12 file encrypted with AES or 3DES in ${path}; found something else, or a damaged file.`,
      { cause: cause instanceof Pkcs12Failure ? cause.cause : cause },
    );
  }
}

function parseKey(der: Buffer, path: string): KeyObject {
  try {
    return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  } catch (cause) {
    throw new LandfallError("key.unusable", `The private key in ${path} cannot be parsed.`, { cause });
  }
}

/** The first key that a certificate belongs to; without any, the first of each, which the identity will refuse. */
function choosePair(
  keys: readonly KeyObject[],
  certificates: readonly X509Certificate[],
  path: string,
): { readonly privateKey: KeyObject; readonly leaf: X509Certificate } {
  const [firstKey] = keys;
  const [firstCertificate] = certificates;
  if (!firstKey) throw new LandfallError("key.unusable", `Expected a private key in ${path}; found none.`);
  if (!firstCertificate) {
    throw new LandfallError("certificate.unusable", `Expected a certificate in ${path}; found none.`);
  }
  for (const privateKey of keys) {
    const publicKey = createPublicKey(privateKey);
    const leaf = certificates.find((certificate) => isSamePublicKey(certificate.publicKey, publicKey));
    if (leaf) return { privateKey, leaf };
  }
  return { privateKey: firstKey, leaf: firstCertificate };
}
