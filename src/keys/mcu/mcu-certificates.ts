import type { X509Certificate } from "node:crypto";
import { inMcu } from "../../config/mcu-place.ts";
import { LandfallError } from "../../errors.ts";
import { IdentityGroup } from "../../serial/groups/identity-group.ts";
import type { SmpCallOptions, SmpClient } from "../../serial/smp-client.ts";
import { parseCertificate } from "../certificate-chain.ts";
import type { OpenedCertificates } from "../opened-certificates.ts";

/**
 * Reads the certificates that an MCU holds, the device's own first. Waits while its port is away.
 * Rejects with `certificate.unusable` for something else, `smp.*`, `serial.closed` and `signal.reason`.
 */
export async function readMcuCertificates(
  client: SmpClient,
  options: SmpCallOptions = {},
): Promise<OpenedCertificates> {
  const bytes = Buffer.from(await new IdentityGroup(client).certificates(options));
  const certificates: X509Certificate[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const certificate = parseCertificate(
      bytes.subarray(offset),
      `certificate ${certificates.length + 1} of the MCU, DER`,
    );
    certificates.push(certificate);
    offset += certificate.raw.length;
  }
  const [leaf, ...issuers] = certificates;
  if (leaf === undefined) {
    throw new LandfallError("certificate.unusable", "Expected a certificate in the MCU; found none.");
  }
  return { chain: [leaf, ...issuers], location: inMcu, warnings: [] };
}
