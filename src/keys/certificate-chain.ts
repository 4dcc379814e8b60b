import { X509Certificate } from "node:crypto";
// Node 20 leaves `createSecureContext` out of this module in any process that asks for `toLegacyObject` before it is loaded.
import "node:tls";
import { LandfallError } from "../errors.ts";

const certificateBlock = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Certificates, the device's own first, then its issuers upwards. */
export type CertificateChain = readonly [X509Certificate, ...X509Certificate[]];

/**
 * The certificates of a PEM text, in their order.
 * Throws `certificate.unusable` when there is none, or when one cannot be parsed.
 * @param location where the text came from, for the message
 */
export function parseCertificateChain(pem: string, location: string): CertificateChain {
  const blocks = pem.match(certificateBlock) ?? [];
  const [leaf, ...issuers] = blocks.map((block, index) =>
    parseCertificate(block, `certificate ${index + 1} of ${location}`),
  );
  if (!leaf) throw new LandfallError("certificate.unusable", `Expected a PEM certificate in ${location}; found none.`);
  return [leaf, ...issuers];
}

/**
 * One certificate, PEM or DER.
 * Throws `certificate.unusable` when it cannot be parsed.
 * @param description which certificate it is, for the message
 */
export function parseCertificate(bytes: Buffer | string, description: string): X509Certificate {
  try {
    const certificate = new X509Certificate(bytes);
    void certificate.publicKey; // read on demand, and it throws for an algorithm that OpenSSL does not know
    return certificate;
  } catch (cause) {
    throw new LandfallError("certificate.unusable", `Cannot parse ${description}.`, { cause });
  }
}

/** `leaf`, then every certificate of `pool` that leads upwards from it, as far as the pool goes. */
export function chainFrom(leaf: X509Certificate, pool: readonly X509Certificate[]): CertificateChain {
  const chain: [X509Certificate, ...X509Certificate[]] = [leaf];
  for (let last = leaf; ; ) {
    const issuer = pool.find((candidate) => isIssuedBy(last, candidate) && !chain.includes(candidate));
    if (!issuer) return chain;
    chain.push(issuer);
    last = issuer;
  }
}

/** Whether `issuer` signed `certificate`, by name and by signature. */
export function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** The common names of the subject; a device certificate has exactly one. */
export function commonNames(certificate: X509Certificate): readonly string[] {
  // Unlike `subject`, this form is not escaped. A name that occurs more than once is given as an array.
  const names: unknown = certificate.toLegacyObject().subject?.CN;
  if (names === undefined) return [];
  return Array.isArray(names) ? names.map(String) : [String(names)];
}

/** The certificates as one PEM text. */
export function toPem(chain: CertificateChain): string {
  return chain.map((certificate) => `${certificate.toString().trim()}\n`).join("");
}
