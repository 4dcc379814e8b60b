import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { CertificateAuthority } from "../../../src/emulator/certificate-authority.ts";
import { certificateOfAnotherKey } from "../../../src/keys/certificate-of-another-key.ts";
import { rsaAuthority } from "../../support/rsa-authority.ts";

test.each([
  ["ec", () => CertificateAuthority.create({ commonName: "sensor" })],
  ["rsa", rsaAuthority],
])("a certificate of another %s key differs in the key alone", async (_, make) => {
  const { certificatePem } = await make();
  const certificate = new X509Certificate(certificatePem);
  const other = certificateOfAnotherKey(certificate);
  expect(other.publicKey.equals(certificate.publicKey)).toBe(false);
  expect(other.publicKey.asymmetricKeyDetails).toEqual(certificate.publicKey.asymmetricKeyDetails);
  expect(other.raw).toHaveLength(certificate.raw.length);
  expect(other.subject).toBe(certificate.subject);
});
