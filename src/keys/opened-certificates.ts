import type { CertificateChain } from "./certificate-chain.ts";

/** Certificates, where they were found, and what a person should know about that place. */
export interface OpenedCertificates {
  readonly chain: CertificateChain;
  /** A path, or a URI without its PIN. */
  readonly location: string;
  readonly warnings: readonly string[];
}
