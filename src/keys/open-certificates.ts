import { isPkcs11Uri } from "../config/pkcs11-uri.ts";
import { parseCertificateChain } from "./certificate-chain.ts";
import { readCertificateFile } from "./key-file.ts";
import type { OpenedCertificates } from "./opened-certificates.ts";

/**
 * Reads the certificates at `location`: a path, a `file://` URI, or the `pkcs11:` URI of one certificate in a token.
 * Rejects with `certificate.unusable`, and like {@link readCertificateFile} or {@link readTokenCertificate}.
 */
export async function openCertificates(location: string): Promise<OpenedCertificates> {
  if (isPkcs11Uri(location)) {
    const { readTokenCertificate } = await import("./pkcs11/token-certificate.ts");
    return readTokenCertificate(location);
  }
  const { path, bytes, warnings } = await readCertificateFile(location);
  return { chain: parseCertificateChain(bytes.toString("latin1"), path), location: path, warnings };
}
