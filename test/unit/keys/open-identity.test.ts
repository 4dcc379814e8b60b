import { X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { CertificateAuthority, type IssuedCertificate } from "../../../src/emulator/certificate-authority.ts";
import { openIdentity } from "../../../src/keys/open-identity.ts";
import { Secret } from "../../../src/secret.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { openssl } from "../../support/openssl.ts";
import { ScratchFolder } from "../../support/scratch-folder.ts";

const folder = new ScratchFolder();
const notBefore = new Date("2026-03-01T00:00:00Z");
const clock = new FakeClock(Date.UTC(2026, 5, 1));
let line: CertificateAuthority;
let device: IssuedCertificate;
let certificate: string;
let privateKey: string;

beforeAll(async () => {
  const root = await CertificateAuthority.create({ commonName: "Factory root", notBefore });
  line = await root.issueAuthority({ commonName: "Line", notBefore });
  device = await line.issue({ commonName: "sensor-17", usage: "client", notBefore });
  certificate = await folder.write("device.pem", device.chainPem, 0o644);
  privateKey = await folder.write("device.key", device.privateKeyPem);
});

describe("an identity from files", () => {
  test("is opened from a PEM pair, whose certificate everybody may read", async () => {
    const { identity, warnings } = await openIdentity({ kind: "pem", certificate, privateKey }, { clock });
    expect(identity.certificateChain).toBe(device.chainPem);
    expect(warnings).toEqual([]);
  });

  test("is opened from a PKCS#12 file", async () => {
    const file = await folder.write("device.p12", "");
    const password = "pass:a b";
    await openssl(
      ...["pkcs12", "-export", "-in", certificate, "-inkey", privateKey, "-out", file, "-passout", password],
    );
    const { identity } = await openIdentity({ kind: "pkcs12", file, password: new Secret("a b") }, { clock });
    expect(identity.certificateChain).toBe(device.chainPem);
  });

  test("is opened from one PEM file that holds both, and its permissions are looked at once", async () => {
    const both = await folder.write("both.pem", device.chainPem + device.privateKeyPem, 0o640);
    const { warnings } = await openIdentity({ kind: "pem", certificate: both, privateKey: both }, { clock });
    expect(warnings).toEqual([expect.stringContaining("chmod 600")]);
  });

  test("is refused when everybody may read a certificate file that holds a key too", async () => {
    const both = await folder.write("both.pem", device.chainPem + device.privateKeyPem, 0o644);
    await expect(openIdentity({ kind: "pem", certificate: both, privateKey }, { clock })).rejects.toMatchObject({
      code: "key.world-readable",
    });
  });

  test("is opened with a key that is encrypted", async () => {
    const encrypted = await folder.write(
      "encrypted.key",
      await openssl("pkcs8", "-topk8", "-in", privateKey, "-passout", "pass:a b"),
    );
    const source = { kind: "pem", certificate, privateKey: encrypted, password: new Secret("a b") } as const;
    await expect(openIdentity(source, { clock })).resolves.toBeDefined();
  });

  test("is refused for a key of another certificate", async () => {
    const other = await folder.write(
      "other.key",
      (await line.issue({ commonName: "x", usage: "client" })).privateKeyPem,
    );
    await expect(openIdentity({ kind: "pem", certificate, privateKey: other }, { clock })).rejects.toMatchObject({
      code: "certificate.key-mismatch",
    });
  });

  test("warns when the clock is a little before the certificate begins", async () => {
    const early = new FakeClock(notBefore.getTime() - 60_000);
    const { warnings } = await openIdentity({ kind: "pem", certificate, privateKey }, { clock: early });
    expect(warnings).not.toEqual([]);
  });

  test.each([
    ["certificate", "config.secret-unreadable"],
    ["privateKey", "config.secret-unreadable"],
  ] as const)("is refused when the file of %s is not there", async (which, code) => {
    const source = { kind: "pem", certificate, privateKey, [which]: folder.file("absent.pem") } as const;
    await expect(openIdentity(source, { clock })).rejects.toMatchObject({
      code,
      message: expect.stringContaining("absent.pem"),
    });
  });

  test("is refused when the certificate is in an MCU, or in a place that this version cannot open, and there is none", async () => {
    const source = { kind: "pem", certificate: "mcu:", privateKey } as const;
    await expect(openIdentity(source, { clock })).rejects.toMatchObject({ code: "key.unusable" });
    const elsewhere = { ...source, certificate: "smartcard:2" };
    await expect(openIdentity(elsewhere, { clock })).rejects.toMatchObject({ code: "key.unsupported-uri" });
  });

  test("gives openssl's view of the leaf", async () => {
    const { identity } = await openIdentity({ kind: "pem", certificate, privateKey }, { clock });
    const [fingerprint] = (await openssl("x509", "-in", certificate, "-noout", "-fingerprint", "-sha256")).match(
      /[0-9A-F:]{95}/,
    ) ?? [""];
    expect(new X509Certificate(identity.certificateChain).fingerprint256).toBe(fingerprint);
  });
});
