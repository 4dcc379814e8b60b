import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { CertificateAuthority, type IssuedCertificate } from "../../../src/emulator/certificate-authority.ts";
import { chainFrom, commonNames, parseCertificateChain, toPem } from "../../../src/keys/certificate-chain.ts";
import { openssl } from "../../support/openssl.ts";
import { rsaAuthority } from "../../support/rsa-authority.ts";
import { ScratchFolder } from "../../support/scratch-folder.ts";

const folder = new ScratchFolder();
let root: CertificateAuthority;
let line: CertificateAuthority;
let device: IssuedCertificate;

beforeAll(async () => {
  root = await CertificateAuthority.create({ commonName: "Factory root" });
  line = await root.issueAuthority({ commonName: "Line" });
  device = await line.issue({ commonName: "sensor-17", usage: "client" });
});

describe("a PEM chain", () => {
  test("is read in its order, text between the certificates left aside", () => {
    const pem = `subject=CN = sensor-17\n${device.certificatePem}\nissuer\n${device.privateKeyPem}${line.certificatePem}`;
    const chain = parseCertificateChain(pem.replaceAll("\n", "\r\n"), "device.pem");
    expect(chain.flatMap(commonNames)).toEqual(["sensor-17", "Line"]);
    expect(toPem(chain)).toBe(device.chainPem);
  });

  test.each(["", "no certificate here", "-----BEGIN CERTIFICATE-----\nMIIB"])("needs a certificate: %j", (pem) => {
    expect(() => parseCertificateChain(pem, "device.pem")).toThrow(
      expect.objectContaining({ code: "certificate.unusable", message: expect.stringContaining("device.pem") }),
    );
  });

  test("with a damaged certificate is refused, by its number", () => {
    const damaged = line.certificatePem.replace(/\n.{20}/, `\n${"A".repeat(20)}`);
    expect(() => parseCertificateChain(device.certificatePem + damaged, "device.pem")).toThrow(
      expect.objectContaining({
        code: "certificate.unusable",
        message: expect.stringContaining("certificate 2 of device.pem"),
        cause: expect.any(Error),
      }),
    );
  });
});

describe("ordering certificates", () => {
  test("goes from the leaf up by issuer, as far as there are any", () => {
    const [leaf, intermediate, top] = [device.certificatePem, line.certificatePem, root.certificatePem].map(
      (pem) => new X509Certificate(pem),
    ) as [X509Certificate, X509Certificate, X509Certificate];
    expect(toPem(chainFrom(leaf, [top, leaf, intermediate]))).toBe(device.chainPem + root.certificatePem);
    expect(toPem(chainFrom(leaf, [top]))).toBe(device.certificatePem);
  });

  test.each(["ec", "rsa"] as const)("goes by signature, not only by name (%s)", async (keyType) => {
    const issuer = await selfSigned("Line", "ec", "issuer");
    const namesake = await selfSigned("Line", keyType, "namesake");
    const leaf = await signedWithoutKeyIdentifiers("sensor-17", "issuer");
    expect(toPem(chainFrom(leaf, [namesake, issuer]))).toBe(toPem([leaf, issuer]));
    // A failed check must leave nothing behind in OpenSSL that a later call would throw.
    expect(() => createPrivateKey("no key")).toThrow(expect.objectContaining({ code: "ERR_OSSL_UNSUPPORTED" }));
  });
});

const newEcKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** A certificate by `openssl`, signed by itself; certificate and key are left in the folder under `name`. */
async function selfSigned(commonName: string, keyType: "ec" | "rsa", name: string): Promise<X509Certificate> {
  const [key, file] = [folder.file(`${name}.key`), folder.file(`${name}.pem`)];
  const made = async () => ["-key", await folder.write(`${name}.key`, (await rsaAuthority()).privateKeyPem)];
  const keyed = keyType === "rsa" ? await made() : [...newEcKey, "-keyout", key];
  await openssl("req", "-x509", ...keyed, "-out", file, "-subj", `/CN=${commonName}`);
  return new X509Certificate(await readFile(file));
}

/** A certificate that says of its issuer nothing but the name, as plain tools write it. */
async function signedWithoutKeyIdentifiers(commonName: string, issuer: string): Promise<X509Certificate> {
  const request = folder.file("request.pem");
  const newKey = [...newEcKey, "-keyout", folder.file("leaf.key")];
  await openssl("req", "-new", ...newKey, "-subj", `/CN=${commonName}`, "-out", request);
  const signer = ["-CA", folder.file(`${issuer}.pem`), "-CAkey", folder.file(`${issuer}.key`), "-set_serial", "1"];
  return new X509Certificate(await openssl("x509", "-req", "-in", request, ...signer));
}

describe("common names", () => {
  const namesOf = async (subject: string): Promise<readonly string[]> => {
    const key = folder.file("key.pem");
    const pem = await openssl("req", "-x509", ...newEcKey, "-utf8", "-keyout", key, "-subj", subject);
    return commonNames(new X509Certificate(pem));
  };

  test.each([
    ["/CN=sensor-17", ["sensor-17"]],
    ["/O=Contoso/OU=Line 1/CN=a.b:c_d-e", ["a.b:c_d-e"]],
    ["/CN=one\\, O=two", ["one, O=two"]],
    ["/CN=Füllstand", ["Füllstand"]],
    ["/O=Contoso", []],
    ["/CN=first/CN=second", ["first", "second"]],
  ])("of %s are %j", async (subject, names) => {
    expect(await namesOf(subject)).toEqual(names);
  });
});
