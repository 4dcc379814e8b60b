import { CertificateAuthority } from "../../src/emulator/certificate-authority.ts";

let authority: Promise<CertificateAuthority> | undefined;

/** A root with an RSA key, for all tests of this process that need any such key or certificate: making one takes long. */
export function rsaAuthority(): Promise<CertificateAuthority> {
  authority ??= CertificateAuthority.create({ commonName: "RSA root", keyType: "rsa" });
  return authority;
}
