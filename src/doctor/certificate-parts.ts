import type { KeyObject } from "node:crypto";
import type { X509Settings } from "../config/settings.ts";
import { type CertificateChain, parseCertificateChain } from "../keys/certificate-chain.ts";
import { readCertificateFile } from "../keys/key-file.ts";
import { openPemKey } from "../keys/pem-key.ts";
import { openPkcs12 } from "../keys/pkcs12.ts";

/**
 * Certificates and key of a device, each as far as it can be had. Whoever connects needs both, and is told the first thing that
 * is wrong; whoever examines wants to know everything that is.
 */
export interface CertificateParts {
  readonly chain: CertificateChain | undefined;
  /** Where the certificates are. */
  readonly location: string;
  /** The public half of the private key. */
  readonly publicKey: KeyObject | undefined;
  /** Why a part is not there: `key.*`, `certificate.*` or `config.*`. */
  readonly errors: readonly unknown[];
}

/** Reads both parts. Never rejects. */
export async function readCertificateParts({ source }: X509Settings): Promise<CertificateParts> {
  if (source.kind === "pkcs12") {
    try {
      const { chain, key, path } = await openPkcs12(source.file, source.password);
      const { publicKey } = key;
      await key.close();
      return { chain, location: path, publicKey, errors: [] };
    } catch (error) {
      return { chain: undefined, location: source.file, publicKey: undefined, errors: [error] };
    }
  }
  const [certificates, key] = await Promise.allSettled([
    readChain(source.certificate),
    readPublicKey(source.privateKey, source.password),
  ]);
  return {
    chain: certificates.status === "fulfilled" ? certificates.value : undefined,
    location: source.certificate,
    publicKey: key.status === "fulfilled" ? key.value : undefined,
    errors: [certificates, key].flatMap((each) => (each.status === "rejected" ? [each.reason] : [])),
  };
}

async function readChain(location: string): Promise<CertificateChain> {
  const { path, bytes } = await readCertificateFile(location);
  return parseCertificateChain(bytes.toString("latin1"), path);
}

async function readPublicKey(...from: Parameters<typeof openPemKey>): Promise<KeyObject> {
  const { key } = await openPemKey(...from);
  const { publicKey } = key;
  await key.close();
  return publicKey;
}
