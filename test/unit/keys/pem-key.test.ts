import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { createSecureContext } from "node:tls";
import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { openPemKey } from "../../../src/keys/pem-key.ts";
import { Secret } from "../../../src/secret.ts";
import { openssl } from "../../support/openssl.ts";
import { rsaAuthority } from "../../support/rsa-authority.ts";
import { ScratchFolder } from "../../support/scratch-folder.ts";

const folder = new ScratchFolder();
const password = new Secret("correct horse");
const passwordArgument = "pass:correct horse";

const weaklyEncrypted = `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHrMFYGCSqGSIb3DQEFDTBJMCgGCSqGSIb3DQEFDDAbBAgFDK/E3PruNAIBATAM
BggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQd5OTPinxNvx5GZ0RmZPumQSBkBQR
7iQ5eBRBQmAsWT+N+etmO2hZazJagN8Yk1qidWPFzJdM61JW5bupkO6CgPE7Z0aY
FndjcXCS/SsYngr2y6wJOfvOJzuWkWuMlL5xt8bKo1ZNjN97MhD5bWkfXOOGAxcy
IPX2OLP8H3SEGbptwTSxgK3q3cu8jBgKBuFIZdrj9ulzhP1D750a4o9+yi8nYg==
-----END ENCRYPTED PRIVATE KEY-----
`;

let ecKey: string;
let ecPublic: KeyObject;

beforeAll(async () => {
  ecKey = await folder.write(
    "ec.pem",
    await openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
  );
  ecPublic = createPublicKey(createPrivateKey(await openssl("pkey", "-in", ecKey)));
});

const keyOf = async (...args: Parameters<typeof openPemKey>) => (await openPemKey(...args)).key;

describe("a PEM key as openssl writes it", () => {
  test("PKCS#8", async () => {
    const key = await keyOf(ecKey);
    expect(key.publicKey.equals(ecPublic)).toBe(true);
    expect(key.location).toBe(ecKey);
  });

  test("SEC 1, after the block of curve parameters", async () => {
    const pem = await openssl("ecparam", "-name", "prime256v1", "-genkey");
    expect(pem).toContain("BEGIN EC PARAMETERS");
    const key = await keyOf(await folder.write("sec1.pem", pem));
    expect(key.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
  });

  test("P-384", async () => {
    const pem = await openssl("ecparam", "-name", "secp384r1", "-genkey", "-noout");
    const key = await keyOf(await folder.write("p384.pem", pem));
    expect(key.publicKey.asymmetricKeyDetails?.namedCurve).toBe("secp384r1");
  });

  test("RSA in PKCS#1", async () => {
    const made = await folder.write("made.pem", (await rsaAuthority()).privateKeyPem);
    const pem = await openssl("rsa", "-traditional", "-in", made);
    expect(pem).toContain("BEGIN RSA PRIVATE KEY");
    const key = await keyOf(await folder.write("rsa.pem", pem));
    expect(key.publicKey.asymmetricKeyDetails?.modulusLength).toBe(2048);
  });

  test("with CRLF line ends", async () => {
    const pem = (await openssl("pkey", "-in", ecKey)).replaceAll("\n", "\r\n");
    const key = await keyOf(await folder.write("crlf.pem", pem));
    expect(key.publicKey.equals(ecPublic)).toBe(true);
  });

  test("named by a file URI", async () => {
    const key = await keyOf(pathToFileURL(ecKey).href);
    expect(key.location).toBe(ecKey);
  });

  test("a password for a key that needs none does no harm", async () => {
    expect((await keyOf(ecKey, password)).publicKey.equals(ecPublic)).toBe(true);
  });
});

describe.each([
  ["PKCS#8", ["pkcs8", "-topk8"]],
  ["PKCS#8 with 3DES", ["pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES"]],
  ["OpenSSL's own form", ["ec", "-aes256"]],
])("an encrypted PEM key in %s", (name, [command = "", ...form]) => {
  let file: string;
  beforeAll(async () => {
    const pem = await openssl(command, ...form, "-in", ecKey, "-passout", passwordArgument);
    expect(pem).toContain("ENCRYPTED");
    file = await folder.write(`${name.replaceAll(/\W/g, "")}.pem`, pem);
  });

  test("opens with its password", async () => {
    expect((await keyOf(file, password)).publicKey.equals(ecPublic)).toBe(true);
  });

  test("does not open with another, and the password is not shown", async () => {
    const opening = openPemKey(file, new Secret("battery staple"));
    await expect(opening).rejects.toMatchObject({
      code: "key.wrong-password",
      message: expect.not.stringContaining("staple"),
      cause: expect.any(Error),
    });
  });

  test("does not open without one", async () => {
    await expect(openPemKey(file)).rejects.toMatchObject({
      code: "key.wrong-password",
      message: expect.stringContaining("no password is set"),
    });
  });
});

test("a wrong password that passes the padding check of the cipher by chance is still named as wrong", async () => {
  // A key made for this test. Of its wrong passwords this one decrypts to well-padded bytes without meaning.
  const file = await folder.write("weak.pem", weaklyEncrypted);
  await expect(openPemKey(file, new Secret("wrong 113"))).rejects.toMatchObject({ code: "key.wrong-password" });
  await expect(openPemKey(file, new Secret("right"))).resolves.toBeDefined();
});

describe("a key of another kind is refused, and the message names it", () => {
  test.each([
    ["RSA of 1024 bits", () => generateKeyPairSync("rsa", { modulusLength: 1024 })],
    ["secp256k1", () => generateKeyPairSync("ec", { namedCurve: "secp256k1" })],
    ["secp521r1", () => generateKeyPairSync("ec", { namedCurve: "secp521r1" })],
    ["ed25519", () => generateKeyPairSync("ed25519")],
    ["x25519", () => generateKeyPairSync("x25519")],
  ])("%s", async (name, generate) => {
    const pem = generate().privateKey.export({ type: "pkcs8", format: "pem" });
    await expect(openPemKey(await folder.write("other.pem", pem))).rejects.toMatchObject({
      code: "key.unusable",
      message: expect.stringContaining(name),
    });
  });
});

describe("a file that is no PEM key is refused, and the message tells what it is", () => {
  test.each([
    ["-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "PUBLIC KEY"],
    ["-----BEGIN TSS2 PRIVATE KEY-----\nAAAA\n-----END TSS2 PRIVATE KEY-----\n", "TSS2 PRIVATE KEY"],
    ["", "no PEM block"],
    ["\u0000\u0001binary", "no PEM block"],
    ["-----BEGIN PRIVATE KEY-----\nMIGH", "PRIVATE KEY"],
  ])("%j", async (content, found) => {
    await expect(openPemKey(await folder.write("no-key.pem", content))).rejects.toMatchObject({
      code: "key.unusable",
      message: expect.stringContaining(found),
    });
  });

  test("a damaged key", async () => {
    const pem = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    await expect(openPemKey(await folder.write("damaged.pem", pem))).rejects.toMatchObject({
      code: "key.unusable",
      message: expect.stringContaining("cannot be parsed"),
      cause: expect.any(Error),
    });
  });
});

describe("the file", () => {
  test("is refused when every user may read it", async () => {
    const file = await folder.write("open.pem", await openssl("pkey", "-in", ecKey), 0o644);
    await expect(openPemKey(file)).rejects.toMatchObject({
      code: "key.world-readable",
      message: expect.stringContaining(`chmod 600 ${file}`),
    });
  });

  test("is warned about when its group may read it", async () => {
    const file = await folder.write("group.pem", await openssl("pkey", "-in", ecKey), 0o640);
    const { warnings } = await openPemKey(file);
    expect(warnings).toEqual([expect.stringContaining(`chmod 600 ${file}`)]);
  });

  test("has to be there", async () => {
    await expect(openPemKey(folder.file("absent.pem"))).rejects.toMatchObject({ code: "config.secret-unreadable" });
  });

  test("has to be a file", async () => {
    await expect(openPemKey(folder.path)).rejects.toMatchObject({ code: "config.secret-unreadable" });
  });

  test.each(["pkcs11:token=line;object=dev?pin-value=1234", "tpm:handle=0x81010002", "mcu:key=1"])(
    "cannot be %s, and nothing behind the scheme is shown",
    async (location) => {
      const scheme = location.split(":")[0];
      await expect(openPemKey(location)).rejects.toMatchObject({
        code: "key.unsupported-uri",
        message: expect.stringMatching(new RegExp(`"${scheme}:" URI\\.$`)),
      });
    },
  );

  test.each(["file://host/key.pem", "file://%zz"])("cannot be %s", async (location) => {
    await expect(openPemKey(location)).rejects.toMatchObject({ code: "key.unsupported-uri" });
  });
});

describe("a key that is open", () => {
  test("goes into a TLS context", async () => {
    const context = await (await keyOf(ecKey)).secureContext({ minVersion: "TLSv1.2" });
    expect(context).toBeInstanceOf(createSecureContext().constructor);
  });

  test("is gone after close, which may be called twice", async () => {
    const key = await keyOf(ecKey);
    await key.close();
    await key[Symbol.asyncDispose]();
    await expect(key.secureContext({})).rejects.toMatchObject({ code: "key.unusable" });
  });
});
