import { createPrivateKey, createPublicKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import fc from "fast-check";
import forge from "node-forge";
import { beforeAll, describe, expect, test } from "vitest";
import {
  CertificateAuthority,
  type IssuedCertificate,
  type KeyType,
} from "../../../src/emulator/certificate-authority.ts";
import { isLandfallError } from "../../../src/errors.ts";
import { commonNames, toPem } from "../../../src/keys/certificate-chain.ts";
import { openPkcs12 } from "../../../src/keys/pkcs12.ts";
import { Secret } from "../../../src/secret.ts";
import { openssl } from "../../support/openssl.ts";
import { ScratchFolder } from "../../support/scratch-folder.ts";

const folder = new ScratchFolder();
const issued: Partial<Record<KeyType, IssuedCertificate>> = {};
let root: CertificateAuthority;
let line: CertificateAuthority;

beforeAll(async () => {
  root = await CertificateAuthority.create({ commonName: "Factory root" });
  line = await (await root.issueAuthority({ commonName: "Plant" })).issueAuthority({ commonName: "Line" });
  for (const keyType of ["ec", "rsa"] as const) {
    issued[keyType] = await line.issue({ commonName: "sensor-17", usage: "client", keyType });
  }
});

function deviceOf(keyType: KeyType): IssuedCertificate {
  const device = issued[keyType];
  if (!device) throw new Error("not issued");
  return device;
}

type Packed = Pick<IssuedCertificate, "certificatePem" | "privateKeyPem">;
type Packing = { options?: string[]; password?: string; others?: string; rounds?: number };
const packed = new Map<string, Promise<string>>();

/** Packs key and certificates with the `openssl` command, as a user would; what was packed before is not packed again. */
function pack(device: Packed, packing: Packing = {}): Promise<string> {
  const what = JSON.stringify([device.certificatePem, packing]);
  const file = packed.get(what) ?? packInto(`packed-${packed.size}.p12`, device, packing);
  packed.set(what, file);
  return file;
}

async function packInto(
  name: string,
  { certificatePem, privateKeyPem }: Packed,
  { options = [], password = "pass", others = "", rounds = 16 }: Packing,
): Promise<string> {
  const key = await folder.write("key.pem", privateKeyPem);
  const certificate = await folder.write("certificate.pem", certificatePem);
  const extra = others === "" ? [] : ["-certfile", await folder.write("others.pem", others)];
  const file = await folder.write(name, "");
  await openssl(
    ...["pkcs12", "-export", "-inkey", key, "-in", certificate, ...extra, "-out", file],
    ...["-passout", `pass:${password}`, "-iter", String(rounds), ...options],
  );
  return file;
}

const forms: [string, string[]][] = [
  ["as new tools write it: AES-256, MAC with SHA-256", []],
  ["as old tools write it: 3DES and RC2, MAC with SHA-1", ["-legacy"]],
  ["with 3DES throughout", ["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"]],
  ["with AES-128 and a MAC with SHA-512", ["-keypbe", "AES-128-CBC", "-certpbe", "AES-128-CBC", "-macalg", "sha512"]],
  ["with an encrypted key and open certificates", ["-certpbe", "NONE"]],
  ["not encrypted, only with a MAC", ["-keypbe", "NONE", "-certpbe", "NONE"]],
];

describe.each(["ec", "rsa"] as const)("a PKCS#12 file with an %s key", (keyType) => {
  test.each(forms)("opens %s", async (_, options) => {
    const device = deviceOf(keyType);
    // Once with as many rounds as tools take, which is slow.
    const packing = { options, ...(keyType === "ec" ? { rounds: 2048 } : {}) };
    const { key, chain } = await openPkcs12(await pack(device, packing), new Secret("pass"));
    expect(key.publicKey.equals(createPublicKey(createPrivateKey(device.privateKeyPem)))).toBe(true);
    expect(toPem(chain)).toBe(device.certificatePem);
  });

  test("gives the chain from leaf to root, however the file has it, without certificates of others", async () => {
    const stranger = await CertificateAuthority.create({ commonName: "Stranger" });
    const device = deviceOf(keyType);
    const issuers = device.chainPem.slice(device.certificatePem.length).split(/(?<=-----END CERTIFICATE-----\n)/);
    const others = [root.certificatePem, stranger.certificatePem, ...issuers.reverse()].join("");
    const { chain } = await openPkcs12(await pack(device, { others }), new Secret("pass"));
    expect(chain.flatMap(commonNames)).toEqual(["sensor-17", "Line", "Plant", "Factory root"]);
    expect(toPem(chain)).toBe(device.chainPem + root.certificatePem);
  });
});

describe("the password of a PKCS#12 file", () => {
  test.each(forms)("that is wrong is named so (%s)", async (_, options) => {
    const file = await pack(deviceOf("ec"), { options });
    await expect(openPkcs12(file, new Secret("wrong"))).rejects.toMatchObject({
      code: "key.wrong-password",
      message: expect.stringContaining(file),
      cause: expect.any(Error),
    });
  });

  test.each([
    ["wrong", "wrong"],
    ["in another case", "PASS"],
    ["empty", ""],
  ])("that is %s is never shown, nor is the right one", async (_, password) => {
    const error = await openPkcs12(await pack(deviceOf("ec")), new Secret(password)).catch((reason) => reason);
    expect(error).toMatchObject({ code: "key.wrong-password" });
    expect(JSON.stringify(error)).not.toContain('pass"');
  });

  test("that is missing is asked for", async () => {
    await expect(openPkcs12(await pack(deviceOf("ec")))).rejects.toMatchObject({
      code: "key.wrong-password",
      message: expect.stringContaining("no password is set"),
    });
  });

  test("may be empty, and need not be set then", async () => {
    const file = await pack(deviceOf("ec"), { password: "" });
    await expect(openPkcs12(file)).resolves.toBeDefined();
    await expect(openPkcs12(file, new Secret(""))).resolves.toBeDefined();
  });

  test("may be none at all, which is not the same as an empty one", async () => {
    const { certificatePem, privateKeyPem } = deviceOf("rsa");
    const key = forge.pki.privateKeyFromPem(privateKeyPem);
    const asn1 = forge.pkcs12.toPkcs12Asn1(key, forge.pki.certificateFromPem(certificatePem), null, { useMac: true });
    const file = await folder.write("none.p12", Buffer.from(forge.asn1.toDer(asn1).getBytes(), "latin1"));
    await expect(openPkcs12(file, new Secret(""))).rejects.toMatchObject({ code: "key.wrong-password" });
    await expect(openPkcs12(file)).resolves.toBeDefined();
  });

  test("need not be set for a file without encryption and MAC", async () => {
    const file = await pack(deviceOf("rsa"), { options: ["-keypbe", "NONE", "-certpbe", "NONE", "-nomac"] });
    await expect(openPkcs12(file)).resolves.toBeDefined();
  });

  test("that is wrong is noticed without a MAC as well", async () => {
    const file = await pack(deviceOf("ec"), { options: ["-nomac"] });
    await expect(openPkcs12(file, new Secret("pass"))).resolves.toBeDefined();
    await expect(openPkcs12(file, new Secret("wrong"))).rejects.toMatchObject({ code: "key.wrong-password" });
  });

  test.each(forms)("may go beyond ASCII (%s)", async (_, options) => {
    const file = await pack(deviceOf("ec"), { options, password: "Schlüßel-鍵" });
    await expect(openPkcs12(file, new Secret("Schlüßel-鍵"))).resolves.toBeDefined();
    await expect(openPkcs12(file, new Secret("Schlüßel-鎖"))).rejects.toMatchObject({ code: "key.wrong-password" });
  });
});

describe("a PKCS#12 file that cannot be used is refused", () => {
  test("without a key", async () => {
    const file = await pack(deviceOf("ec"), { options: ["-nokeys"] });
    await expect(openPkcs12(file, new Secret("pass"))).rejects.toMatchObject({
      code: "key.unusable",
      message: expect.stringContaining("Expected a private key"),
    });
  });

  test("without a certificate", async () => {
    const file = await pack(deviceOf("ec"), { options: ["-nocerts"] });
    await expect(openPkcs12(file, new Secret("pass"))).rejects.toMatchObject({
      code: "certificate.unusable",
      message: expect.stringContaining("Expected a certificate"),
    });
  });

  test("with a key of a kind that is not supported", async () => {
    const key = await folder.write("k1.pem", await openssl("ecparam", "-name", "secp256k1", "-genkey", "-noout"));
    const certificatePem = await openssl("req", "-x509", "-key", key, "-subj", "/CN=sensor-17");
    const file = await pack({ certificatePem, privateKeyPem: await readFile(key, "utf8") });
    await expect(openPkcs12(file, new Secret("pass"))).rejects.toMatchObject({
      code: "key.unusable",
      message: expect.stringContaining("secp256k1"),
    });
  });

  test("encrypted in a way that is not supported", async () => {
    const file = await pack(deviceOf("ec"), { options: ["-keypbe", "CAMELLIA-256-CBC"] });
    await expect(openPkcs12(file, new Secret("pass"))).rejects.toMatchObject({
      code: "key.unusable",
      message: expect.stringContaining("AES or 3DES"),
    });
  });

  test.each([
    ["empty", async () => Buffer.alloc(0)],
    ["a PEM text", async () => Buffer.from(deviceOf("ec").privateKeyPem)],
    ["a certificate", async () => certificateDer()],
    [
      "a plain key",
      async () => createPrivateKey(deviceOf("ec").privateKeyPem).export({ type: "pkcs8", format: "der" }),
    ],
  ])("that is %s", async (_, content) => {
    const file = await folder.write("other.p12", await content());
    await expect(openPkcs12(file, new Secret("pass"))).rejects.toMatchObject({ code: "key.unusable" });
  });

  test("that is cut off or damaged, by a named error unless the damage does not matter", async () => {
    const whole = await readFile(await pack(deviceOf("ec"), { rounds: 1 }));
    const position = fc.nat(whole.length - 1);
    const damaged = fc.oneof(
      position.map((end) => whole.subarray(0, end)),
      fc.tuple(position, fc.integer({ min: 1, max: 255 })).map(([at, flip]) => {
        const copy = Buffer.from(whole);
        copy[at] = (copy[at] ?? 0) ^ flip;
        return copy;
      }),
    );
    await fc.assert(
      fc.asyncProperty(damaged, async (content) => {
        const file = await folder.write("damaged.p12", content);
        const outcome = await openPkcs12(file, new Secret("pass")).catch((error: unknown) => error);
        // A few bits carry no meaning, such as the parameters of an algorithm that has none.
        if (!isLandfallError(outcome)) expect(outcome).toMatchObject({ key: { publicKey: expect.anything() } });
      }),
      { numRuns: 60 },
    );
  });

  test("that every user may read", async () => {
    const file = await folder.write("open.p12", await readFile(await pack(deviceOf("ec"))), 0o644);
    await expect(openPkcs12(file, new Secret("pass"))).rejects.toMatchObject({ code: "key.world-readable" });
  });
});

async function certificateDer(): Promise<Buffer> {
  const base64 = deviceOf("ec").certificatePem.replaceAll(/-----.*-----|\s/g, "");
  return Buffer.from(base64, "base64");
}
