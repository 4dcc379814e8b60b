import { inMcu } from "../config/mcu-place.ts";
import { isPkcs11Uri } from "../config/pkcs11-uri.ts";
import type { SmpClient } from "../serial/smp-client.ts";
import { parseCertificateChain } from "./certificate-chain.ts";
import { readCertificateFile } from "./key-file.ts";
import { requireMcu } from "./mcu/opened-mcu.ts";
import type { OpenedCertificates } from "./opened-certificates.ts";

/**
 * Reads the certificates at `location`: a path, a `file://` URI, the `pkcs11:` URI of one certificate in a token,
 * or `mcu:`.
 * Rejects with `certificate.unusable`, and like {@link readCertificateFile}, {@link readTokenCertificate} or {@link readMcuCertificates}.
 * @param mcu the link to the MCU, if there is one
 */
export async function openCertificates(location: string, mcu?: SmpClient): Promise<OpenedCertificates> {
  if (location === inMcu) {
    const { readMcuCertificates } = await import("./mcu/mcu-certificates.ts");
    return readMcuCertificates(requireMcu(mcu));
  }
  if (isPkcs11Uri(location)) {
    const { readTokenCertificate } = await import("./pkcs11/token-certificate.ts");
    return readTokenCertificate(location);
  }
  const { path, bytes, warnings } = await readCertificateFile(location);
  return { chain: parseCertificateChain(bytes.toString("latin1"), path), location: path, warnings };
}
