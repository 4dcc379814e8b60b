import { shownPkcs11Uri } from "../../config/pkcs11-uri.ts";
import { parseCertificate } from "../certificate-chain.ts";
import type { OpenedCertificates } from "../opened-certificates.ts";
import { readPkcs11Uri } from "./open-pkcs11-key.ts";
import { TokenTool } from "./token-tool.ts";

/**
 * Reads one certificate from a token, with `pkcs11-tool`: OpenSSL's engine would give it out, and Node has no way to ask.
 * Tokens keep certificates in the open, so no PIN is needed. The issuers' certificates do not come along; an
 * enrollment that needs them needs a file.
 *
 * Rejects with `key.program-missing`, `key.module-unusable`, `key.token-missing`, `key.not-in-token`, `key.hardware-failed`,
 * `key.invalid-uri` or `certificate.unusable`.
 */
export async function readTokenCertificate(location: string): Promise<OpenedCertificates> {
  const uri = readPkcs11Uri(location);
  const tool = await TokenTool.for(uri);
  const der = await tool.readObject("cert");
  const shown = shownPkcs11Uri(uri);
  return { chain: [parseCertificate(der, `the certificate ${shown}`)], location: shown, warnings: [] };
}
