import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import tls from "node:tls";
import { beforeAll, describe, expect, test } from "vitest";
import { CertificateAuthority, type KeyType } from "../../../src/emulator/certificate-authority.ts";
import { openssl } from "../../support/openssl.ts";
import { rsaAuthority } from "../../support/rsa-authority.ts";
import { ScratchFolder } from "../../support/scratch-folder.ts";

const folder = new ScratchFolder();
const dayMs = 86_400_000;
let root: CertificateAuthority;
let line: CertificateAuthority;

beforeAll(async () => {
  root = await CertificateAuthority.create({ commonName: "Factory root" });
  line = await (await root.issueAuthority({ commonName: "Plant", keyType: "rsa" })).issueAuthority({
    commonName: "Line",
  });
});

const certificatesIn = (pem: string): X509Certificate[] =>
  (pem.match(/-----BEGIN[\s\S]+?-----END CERTIFICATE-----/g) ?? []).map((one) => new X509Certificate(one));

/** What `openssl verify` says, by the strict reading of the rules. */
async function verify(chainPem: string, purpose: "sslclient" | "sslserver"): Promise<string> {
  const [ca, chain] = [await folder.write("ca.pem", root.certificatePem), await folder.write("chain.pem", chainPem)];
  return openssl("verify", "-x509_strict", "-purpose", purpose, "-CAfile", ca, "-untrusted", chain, chain);
}

describe("a certificate authority", () => {
  test.each(["ec", "rsa"] as const)(
    "issues %s certificates that openssl verifies, under intermediates",
    async (keyType) => {
      const device = await line.issue({ commonName: "sensor-17", usage: "client", keyType });
      expect(await verify(device.chainPem, "sslclient")).toContain("OK");
      await expect(verify(device.chainPem, "sslserver")).rejects.toThrow("unsuitable certificate purpose");
      await expect(verify(device.certificatePem, "sslclient")).rejects.toThrow("unable to get local issuer");
    },
  );

  test("gives the chain from the leaf up to the root, without it", async () => {
    const { certificatePem, chainPem } = await line.issue({ commonName: "sensor-17", usage: "client" });
    expect(certificatesIn(chainPem).map(({ subject }) => subject)).toEqual(["CN=sensor-17", "CN=Line", "CN=Plant"]);
    expect(chainPem.startsWith(certificatePem)).toBe(true);
    expect((await root.issue({ commonName: "x", usage: "client" })).chainPem.match(/BEGIN/g)).toHaveLength(1);
  });

  test("gives the key that belongs to the certificate, as PKCS#8", async () => {
    const { certificatePem, privateKeyPem } = await root.issue({ commonName: "sensor-17", usage: "client" });
    expect(privateKeyPem).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    const publicKey = createPublicKey(createPrivateKey(privateKeyPem));
    expect(new X509Certificate(certificatePem).publicKey.equals(publicKey)).toBe(true);
  });

  test("issues nothing that could issue: a device is no authority", async () => {
    const [device] = certificatesIn((await root.issue({ commonName: "sensor-17", usage: "client" })).certificatePem);
    const [authority] = certificatesIn(line.certificatePem);
    expect([device?.ca, authority?.ca]).toEqual([false, true]);
  });

  test("writes the extensions that services look for", async () => {
    const server = await line.issue({
      commonName: "a.test",
      usage: "server",
      keyType: "rsa",
      dnsNames: ["a.test", "*.b.test"],
    });
    const text = await openssl(
      "x509",
      "-noout",
      "-text",
      "-in",
      await folder.write("server.pem", server.certificatePem),
    );
    const extensions = text.replaceAll(/\s+/g, " ");
    expect(extensions).toContain("Basic Constraints: critical CA:FALSE");
    expect(extensions).toContain("Key Usage: critical Digital Signature, Key Encipherment");
    expect(extensions).toContain("Extended Key Usage: TLS Web Server Authentication");
    expect(extensions).toContain("Alternative Name: DNS:a.test, DNS:*.b.test");
    const [leaf, issuer] = [
      text,
      await openssl("x509", "-noout", "-text", "-in", await folder.write("l.pem", line.certificatePem)),
    ];
    const identifier = (from: string, which: string) =>
      new RegExp(`${which} Key Identifier: \\s+([0-9A-F:]+)`).exec(from)?.[1];
    expect(identifier(leaf, "Authority")).toBe(identifier(issuer, "Subject"));
  });

  test("names a server by its common name unless told otherwise, and a device by no DNS name", async () => {
    const [server] = certificatesIn((await root.issue({ commonName: "hub.test", usage: "server" })).certificatePem);
    const [device] = certificatesIn((await root.issue({ commonName: "sensor-17", usage: "client" })).certificatePem);
    expect(server?.subjectAltName).toBe("DNS:hub.test");
    expect(device?.subjectAltName).toBeUndefined();
  });

  test("names a server by its addresses as such", async () => {
    const names = { dnsNames: ["localhost", "127.0.0.1", "::1"] };
    const [server] = certificatesIn((await root.issue({ commonName: "x", usage: "server", ...names })).certificatePem);
    expect(server?.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(server?.checkIP("::1")).toBe("::1");
    expect(server?.checkHost("localhost")).toBe("localhost");
  });

  test.each(['Größe "1", O=x + y\\z;', "#0c0161", " a "])("takes names as they are: %s", async (commonName) => {
    const [device] = certificatesIn((await root.issue({ commonName, usage: "client" })).certificatePem);
    expect(device?.toLegacyObject().subject.CN).toBe(commonName);
  });

  test("gives every certificate a serial number of its own", async () => {
    const issued = await Promise.all([1, 2, 3].map(() => root.issue({ commonName: "same", usage: "client" })));
    const serials = issued.map(({ certificatePem }) => new X509Certificate(certificatePem).serialNumber);
    expect(new Set(serials).size).toBe(3);
  });
});

describe("an authority that is asked by a request", () => {
  /** What the `openssl` command asks with. */
  async function request(keyType: KeyType, subject = "/CN=sensor-17"): Promise<string> {
    const newEcKey = () => openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256");
    const keyPem = keyType === "rsa" ? (await rsaAuthority()).privateKeyPem : await newEcKey();
    return openssl("req", "-new", "-key", await folder.write("requester.key", keyPem), "-subj", subject);
  }

  test.each(["ec", "rsa"] as const)("certifies the key that it is for (%s), with the chain", async (keyType) => {
    const asked = await request(keyType);
    const chainPem = await line.answer(asked);
    expect(await verify(chainPem, "sslclient")).toMatch(/: OK$/m);
    const [leaf, ...issuers] = certificatesIn(chainPem);
    expect(leaf?.subject).toBe("CN=sensor-17");
    expect(issuers).toHaveLength(2);
    const key = createPrivateKey(await readFile(folder.file("requester.key"), "utf8"));
    expect(leaf?.checkPrivateKey(key)).toBe(true);
  });

  test("refuses whoever does not show that he has the key", async () => {
    const asked = await request("ec");
    const der = Buffer.from(asked.replaceAll(/-----.*-----/g, ""), "base64");
    const end = der.length - 1;
    der[end] = (der[end] ?? 0) ^ 1;
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
    await expect(line.answer(pem)).rejects.toMatchObject({ code: "certificate.key-mismatch" });
  });

  test("refuses what is no request, or one without a common name", async () => {
    for (const asked of ["no request", root.certificatePem, await request("ec", "/O=Plant")]) {
      await expect(line.answer(asked)).rejects.toMatchObject({ code: "certificate.unusable" });
    }
  });
});

describe("an authority taken up again", () => {
  test.each(["ec", "rsa"] as const)("issues what its own certificate verifies (%s)", async (keyType) => {
    const first = keyType === "rsa" ? await rsaAuthority() : root;
    const again = await CertificateAuthority.restore(first.certificatePem, first.privateKeyPem);
    expect(again.certificatePem).toBe(first.certificatePem);
    const { certificatePem } = await again.issue({ commonName: "sensor-17", usage: "client" });
    expect(new X509Certificate(certificatePem).verify(new X509Certificate(first.certificatePem).publicKey)).toBe(true);
  });

  test("is refused with the key of another, or with what is neither key nor certificate", async () => {
    const refused = (certificatePem: string, privateKeyPem: string, code: string) =>
      expect(CertificateAuthority.restore(certificatePem, privateKeyPem)).rejects.toMatchObject({ code });
    await refused(root.certificatePem, line.privateKeyPem, "certificate.key-mismatch");
    await refused(root.certificatePem, root.certificatePem, "key.unusable");
    await refused("no certificate", root.privateKeyPem, "certificate.unusable");
  });
});

describe("the dates of a certificate", () => {
  test("are as asked for, in the past as well", async () => {
    const [notBefore, notAfter] = [new Date("2020-01-02T03:04:05Z"), new Date("2021-06-07T08:09:10Z")];
    const issued = await root.issue({ commonName: "old", usage: "client", notBefore, notAfter });
    const authority = await CertificateAuthority.create({ commonName: "Old root", notBefore, notAfter });
    for (const pem of [issued.certificatePem, authority.certificatePem]) {
      const { validFrom, validTo } = new X509Certificate(pem);
      expect([Date.parse(validFrom), Date.parse(validTo)]).toEqual([notBefore.getTime(), notAfter.getTime()]);
    }
  });

  test("begin before now, end later, and not after the issuer's", async () => {
    const ends = new Date(Math.floor(Date.now() / 1000) * 1000 + 5 * dayMs);
    const brief = await root.issueAuthority({ commonName: "Brief", notAfter: ends });
    const { certificatePem } = await brief.issue({ commonName: "sensor-17", usage: "client" });
    const { validFrom, validTo } = new X509Certificate(certificatePem);
    expect(Date.parse(validFrom)).toBeLessThan(Date.now());
    expect(Date.parse(validTo)).toBe(ends.getTime());
  });
});

test("both ends of a TLS connection accept each other's certificates", async () => {
  const server = await line.issue({ commonName: "hub.test", usage: "server" });
  const device = await line.issue({ commonName: "sensor-17", usage: "client" });
  const ca = root.certificatePem;
  const listener = tls.createServer(
    { cert: server.chainPem, key: server.privateKeyPem, ca, requestCert: true, rejectUnauthorized: true },
    (socket) => socket.end(String(socket.getPeerCertificate().subject.CN)),
  );
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as { port: number };
  const client = tls.connect({
    port,
    host: "127.0.0.1",
    servername: "hub.test",
    ca,
    cert: device.chainPem,
    key: device.privateKeyPem,
  });
  const [seen] = await once(client, "data");
  expect(String(seen)).toBe("sensor-17");
  client.destroy();
  listener.close();
});
