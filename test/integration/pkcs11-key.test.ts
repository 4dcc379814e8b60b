import { createPublicKey, X509Certificate } from "node:crypto";
import { mkdirSync, readdirSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { openIdentity } from "../../src/keys/open-identity.ts";
import { Secret } from "../../src/secret.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { openssl } from "../support/openssl.ts";
import { OpensslAuthority } from "../support/openssl-authority.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { lacksTokens, SoftToken, softModule } from "../support/soft-token.ts";

// A little later than the certificates that are made here, whose times are whole seconds.
const clock = new FakeClock(Date.now() + 60_000);

describe.skipIf(lacksTokens())("a key in a token", () => {
  const scratch = new ScratchFolder();
  let token: SoftToken;
  let authority: OpensslAuthority;
  const certificates: Record<string, string> = {};

  beforeAll(async () => {
    token = await SoftToken.create(scratch, "device");
    authority = await OpensslAuthority.create(scratch, "Factory");
    for (const kind of ["ec", "rsa"] as const) {
      const pem = await authority.certify(await token.makeKey(`${kind} key`.replace(" ", "-"), kind), kind);
      certificates[kind] = await scratch.write(`${kind}.pem`, pem);
    }
  });

  const open = (privateKey: string, { certificate = certificates.ec ?? "", pin = token.pin } = {}) =>
    openIdentity(
      { kind: "pem", certificate, privateKey, ...(pin === "" ? {} : { password: new Secret(pin) }) },
      { clock },
    );

  // Before any other: once a process is logged in, the token asks it for no PIN.
  test("is not opened with a wrong PIN, which is shown nowhere", async () => {
    const failure = await open(token.uri("ec-key"), { pin: "000042" }).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "key.wrong-pin",
      message: expect.stringContaining("token=device;object=ec-key"),
    });
    expect(JSON.stringify(failure)).not.toContain("000042");
  });

  test("is not tried with the same wrong PIN again, on whatever way to the token", async () => {
    const failure = await open(token.uri("rsa-key"), { pin: "000042" }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "key.wrong-pin", message: expect.stringContaining("not tried again") });
  });

  test.each(["ec", "rsa"])("%s is opened and knows its public half", async (kind) => {
    await using opened = (await open(token.uri(`${kind}-key`), { certificate: certificates[kind] ?? "" })).identity;
    const { certificateChain } = opened;
    expect(new X509Certificate(certificateChain).subject).toBe(`CN=${kind}`);
    await expect(opened.secureContext({ minVersion: "TLSv1.2" })).resolves.toBeDefined();
    expect(() => opened.exportKey()).toThrow(expect.objectContaining({ code: "key.not-exportable" }));
  });

  test("is not used after it was closed", async () => {
    const { identity } = await open(token.uri("ec-key"));
    await identity.close();
    await expect(identity.secureContext({})).rejects.toMatchObject({ code: "key.unusable" });
  });

  test("knows a handshake in which it did not sign from one that others broke", async () => {
    const { identity } = await open(token.uri("ec-key"));
    const unsigned = (words: string) => identity.signingFailure(new Error(`error:41800032:${words}`));
    expect(unsigned("PKCS#11 module::Device removed")).toMatchObject({ code: "key.token-missing" });
    expect(unsigned("PKCS#11 module::Device error")).toMatchObject({ code: "key.hardware-failed" });
    expect(unsigned("SSL routines::sslv3 alert handshake failure")).toBeUndefined();
    await identity.close();
    expect(unsigned("PKCS#11 module::Device removed")).toBeUndefined();
  });

  test("leaves no PIN in a file and no variable in the environment", async () => {
    process.env.XDG_RUNTIME_DIR = scratch.file("runtime");
    mkdirSync(process.env.XDG_RUNTIME_DIR);
    const before = { ...process.env };
    await open(token.uri("ec-key"));
    expect(process.env).toEqual(before);
    expect(readdirSync(scratch.file("runtime"))).toEqual([]);
  });

  test("takes its PIN from a file that is its owner's alone", async () => {
    const pinFile = await scratch.write("pin", `${token.pin}\n`);
    const uri = token.uri("ec-key", `module-path=${softModule}&pin-source=file:${pinFile}`);
    await expect(open(uri, { pin: "" })).resolves.toMatchObject({ warnings: [] });
    const openToAll = await scratch.write("pin-for-all", token.pin, 0o644);
    const careless = token.uri("ec-key", `module-path=${softModule}&pin-source=file:${openToAll}`);
    await expect(open(careless, { pin: "" })).rejects.toMatchObject({ code: "key.world-readable" });
  });

  test("is not tried with a PIN that the engine would cut off", async () => {
    // A token asks a process that is logged in for nothing, so this PIN is refused before it comes to that.
    for (const pin of ["7".repeat(32), `${token.pin}\nmore`]) {
      const failure = await open(token.uri("ec-key"), { pin }).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "key.wrong-pin", message: expect.stringContaining("at most 31 bytes") });
      expect(JSON.stringify(failure)).not.toContain("7777");
    }
    await expect(open(token.uri("ec-key"), { pin: "7".repeat(31) })).resolves.toBeDefined();
  });

  test("needs a PIN", async () => {
    await expect(open(token.uri("ec-key"), { pin: "" })).rejects.toMatchObject({ code: "key.wrong-pin" });
  });

  test.each([
    ["an object that is not there", (): string => token.uri("no-key"), "key.not-in-token"],
    ["a token that is not there", (): string => token.uri("ec-key").replace("=device", "=other"), "key.token-missing"],
    ["a module that is not there", (): string => token.uri("ec-key", "module-path=/nowhere.so"), "key.module-unusable"],
    ["a second module", (): string => token.uri("ec-key", "module-path=/etc/hostname"), "key.module-unusable"],
    ["a URI that is none", (): string => "pkcs11:object", "key.invalid-uri"],
  ])("is not opened from %s", async (_, uri, code) => {
    await expect(open(uri())).rejects.toMatchObject({ code });
  });

  test("is not opened for the certificate of another key, of its own kind or of another", async () => {
    const stranger = await openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256");
    const spki = createPublicKey(stranger).export({ type: "spki", format: "pem" }).toString();
    const foreign = await scratch.write("foreign.pem", await authority.certify(spki, "foreign"));
    for (const certificate of [foreign, certificates.rsa ?? ""]) {
      await expect(open(token.uri("ec-key"), { certificate })).rejects.toMatchObject({
        code: "certificate.key-mismatch",
      });
    }
    await expect(open(token.uri("rsa-key"))).rejects.toMatchObject({ code: "certificate.key-mismatch" });
  });

  test("is never replaced by a key in a file, not even by one that fits the certificate", async () => {
    const key = await openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256");
    const spki = createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
    const certificate = await authority.certify(spki, "fits");
    const both = await scratch.write("fits.pem", `${certificate}${key}`);
    await scratch.write("fits.key", key);
    const inFile = await openIdentity({ kind: "pem", certificate: both, privateKey: both }, { clock });
    await inFile.identity.close();
    for (const [uri, code] of [
      [token.uri("no-key"), "key.not-in-token"],
      [token.uri("ec-key"), "certificate.key-mismatch"],
    ] as const) {
      await expect(open(uri, { certificate: both })).rejects.toMatchObject({ code });
    }
  });

  test("can have its certificate beside it in the token", async () => {
    await token.writeCertificate(
      "ec-key",
      new X509Certificate(await openssl("x509", "-in", certificates.ec ?? "")).raw,
    );
    const { identity } = await open(token.uri("ec-key"), { certificate: token.uri("ec-key") });
    expect(identity.commonNames).toEqual(["ec"]);
    await expect(open(token.uri("ec-key"), { certificate: token.uri("rsa-key") })).rejects.toMatchObject({
      code: "key.not-in-token",
    });
  });
});
