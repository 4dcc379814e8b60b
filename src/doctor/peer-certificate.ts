import type { DetailedPeerCertificate, TLSSocket } from "node:tls";

/** What a verified TLS peer showed. */
export interface PeerIdentity {
  /** `TLSv1.2`, `TLSv1.3`. */
  readonly protocol: string;
  readonly subject: string;
  /** Issuers from the leaf's upwards; the last one is the root that is trusted. */
  readonly issuers: readonly string[];
  /** Milliseconds since the epoch. */
  readonly validUntil: number;
  /** Whether one of those who sign for Azure's services is among the issuers. */
  readonly isAzures: boolean;
}

/** Who signs for Azure's services: Microsoft's own authorities below roots of DigiCert and Microsoft, formerly of Baltimore. */
const azureIssuers = /\b(Microsoft|DigiCert|Baltimore)\b/;

/** Reads the identity of a peer off a socket whose handshake is done. */
export function peerIdentity(socket: TLSSocket): PeerIdentity {
  const leaf = socket.getPeerCertificate(true);
  const issuers = issuersOf(leaf);
  return {
    protocol: socket.getProtocol() ?? "unknown",
    subject: nameOf(leaf.subject),
    issuers,
    validUntil: Date.parse(leaf.valid_to),
    isAzures: issuers.some((issuer) => azureIssuers.test(issuer)),
  };
}

function issuersOf(leaf: DetailedPeerCertificate): string[] {
  const names: string[] = [];
  let certificate: DetailedPeerCertificate | undefined = leaf;
  for (let depth = 0; certificate !== undefined && depth < 10; depth++) {
    names.push(nameOf(certificate.issuer));
    const issuer: DetailedPeerCertificate | undefined = certificate.issuerCertificate;
    // A root is its own issuer.
    certificate = issuer?.fingerprint256 === certificate.fingerprint256 ? undefined : issuer;
  }
  return [...new Set(names)];
}

function nameOf(name: { readonly CN?: string | string[]; readonly O?: string | string[] } | undefined): string {
  const { CN, O } = name ?? {};
  const parts = [CN, O].map((part) => [part ?? []].flat().join(" "));
  return parts.filter((part) => part !== "").join(", ") || "unnamed";
}
