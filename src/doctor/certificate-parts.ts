import type { KeyObject } from "node:crypto";
import { withoutPin } from "../config/hardware-uri.ts";
import type { X509Settings } from "../config/settings.ts";
import type { CertificateChain } from "../keys/certificate-chain.ts";
import type { OpenedMcu } from "../keys/mcu/opened-mcu.ts";
import { openCertificates } from "../keys/open-certificates.ts";
import { openKey } from "../keys/open-key.ts";
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
export async function readCertificateParts({ source }: X509Settings, mcu?: OpenedMcu): Promise<CertificateParts> {
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
  const [certificates] = await Promise.allSettled([openCertificates(source.certificate, mcu?.link)]);
  // A key in hardware is compared with the certificate as it is opened, so that it cannot be looked at without one.
  const certificate = certificates.status === "fulfilled" ? certificates.value.chain[0] : undefined;
  const [key] = await Promise.allSettled([
    readPublicKey(source.privateKey, { password: source.password, certificate, mcu }),
  ]);
  return {
    chain: certificates.status === "fulfilled" ? certificates.value.chain : undefined,
    location: withoutPin(source.certificate),
    publicKey: key.status === "fulfilled" ? key.value : undefined,
    errors: [certificates, key].flatMap((each) => (each.status === "rejected" ? [each.reason] : [])),
  };
}

async function readPublicKey(...from: Parameters<typeof openKey>): Promise<KeyObject> {
  const { key } = await openKey(...from);
  const { publicKey } = key;
  await key.close();
  return publicKey;
}
