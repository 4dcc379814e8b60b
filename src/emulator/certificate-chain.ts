import type { X509Certificate } from "node:crypto";
// Node 20 leaves `createSecureContext` out of this module in any process that asks for `toLegacyObject` before it is loaded.
import "node:tls";

/** Why a chain is not accepted, in words that fit a log line; what the device is told says less. */
export type ChainFault =
  | { readonly kind: "no-certificate" }
  | { readonly kind: "not-valid-now"; readonly subject: string }
  | { readonly kind: "not-an-authority"; readonly subject: string };

/** The common name of a certificate's subject; `undefined` when it has none or more than one. */
export function commonNameOf(certificate: X509Certificate): string | undefined {
  const { CN } = certificate.toLegacyObject().subject as { CN?: string | string[] };
  return typeof CN === "string" ? CN : undefined;
}

/** SHA-1 and SHA-256 thumbprints as Azure writes them: upper-case hexadecimal without colons. */
export function thumbprintsOf(certificate: X509Certificate): { readonly sha1: string; readonly sha256: string } {
  return {
    sha1: certificate.fingerprint.replaceAll(":", ""),
    sha256: certificate.fingerprint256.replaceAll(":", ""),
  };
}

/** Whether two certificates are the same one, byte for byte. */
export function isSameCertificate(one: X509Certificate, other: X509Certificate): boolean {
  return one.raw.equals(other.raw);
}

/** Whether `issuer` signed `certificate`: names match and the signature verifies. */
export function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    return false; // a key of a kind that cannot have made this signature
  }
}

/** Whether `nowMs` is within the certificate's validity. */
export function isValidAt(certificate: X509Certificate, nowMs: number): boolean {
  return Date.parse(certificate.validFrom) <= nowMs && nowMs <= Date.parse(certificate.validTo);
}

/**
 * Every way up from the leaf that the sent certificates and `anchors` allow: for each anchor that is reached, the path from
 * the leaf to it, nearest anchor first. An anchor counts whether or not the client sent it along. All signatures on a path
 * are verified; dates and authority flags are not, see {@link judgePath}.
 */
export function pathsToAnchors(
  sent: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
): (readonly X509Certificate[])[] {
  const paths: (readonly X509Certificate[])[] = [];
  const path: X509Certificate[] = [];
  for (const certificate of sent) {
    const below = path.at(-1);
    if (below !== undefined && !isIssuedBy(below, certificate)) break;
    path.push(certificate);
    for (const anchor of anchors) {
      const isItself = isSameCertificate(anchor, certificate);
      if (!isItself && isIssuedBy(certificate, anchor)) paths.push([...path, anchor]);
    }
  }
  return paths;
}

/** Holds a path against the clock, and every certificate above the leaf against its authority flag. */
export function judgePath(path: readonly X509Certificate[], nowMs: number): ChainFault | undefined {
  if (path.length === 0) return { kind: "no-certificate" };
  for (const [index, certificate] of path.entries()) {
    if (!isValidAt(certificate, nowMs)) return { kind: "not-valid-now", subject: certificate.subject };
    if (index > 0 && !certificate.ca) return { kind: "not-an-authority", subject: certificate.subject };
  }
  return undefined;
}
