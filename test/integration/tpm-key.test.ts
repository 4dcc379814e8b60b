import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import tls from "node:tls";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { buildEngine } from "../../src/keys/engine/build-engine.ts";
import { landfallEngineFolder } from "../../src/keys/engine/landfall-engine.ts";
import { withEnvironment } from "../../src/keys/engine/with-environment.ts";
import { openIdentity } from "../../src/keys/open-identity.ts";
import { openKey } from "../../src/keys/open-key.ts";
import { formatTpmKeyFile, parseTpmKeyFile } from "../../src/keys/tpm/key-file.ts";
import { signingPublicKey } from "../../src/keys/tpm/signing-key-area.ts";
import { Secret } from "../../src/secret.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { makeTpmKey } from "../support/hardware-tpm.ts";
import { runProcess } from "../support/landfall-process.ts";
import { handshake } from "../support/mutual-tls.ts";
import { OpensslAuthority } from "../support/openssl-authority.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { StartedThreads } from "../support/started-threads.ts";
import { Swtpm } from "../support/swtpm.ts";
import { lacks } from "../support/system-peer.ts";
import { testDialer } from "../support/test-dialer.ts";
import { startTlsPeer } from "../support/tls-peer.ts";

const handle = 0x81010010;

describe.skipIf(["swtpm", "tpm2_getcap", "cc", "openssl"].some(lacks))("a key in a TPM", () => {
  const scratch = new ScratchFolder();
  const swtpm = new Swtpm();
  let authority: OpensslAuthority;
  let certificate: string;
  let keyFile: string;

  const pemOf = (publicArea: Uint8Array): string =>
    signingPublicKey(publicArea, "it").export({ type: "spki", format: "pem" }).toString();
  const at = (uri: string): string => `${uri};at=${swtpm.location}`;
  const open = (location: string, password?: string) =>
    openKey(location, { password: password === undefined ? undefined : new Secret(password), certificate: undefined });

  beforeAll(async () => {
    process.env.LANDFALL_ENGINES = scratch.file("engines");
    await buildEngine({ folder: scratch.file("engines") });
    authority = await OpensslAuthority.create(scratch, "Factory");
    const key = await makeTpmKey(swtpm, { handle });
    keyFile = await scratch.write("device.tss2.pem", formatTpmKeyFile(key));
    certificate = await scratch.write("device.pem", await authority.certify(pemOf(key.publicArea), "press-7"));
  });

  /** A little later than the certificates that are made here, whose times are whole seconds. */
  const later = { clock: new FakeClock(Date.now() + 60_000) };
  const identity = async (privateKey: string) =>
    (await openIdentity({ kind: "pem", certificate, privateKey }, later)).identity;

  test.each(["ecdsa_secp256r1_sha256", "ECDSA+SHA384", "ECDSA+SHA512"])(
    "signs what TLS 1.2 asks for by %s",
    async (sigalgs) => {
      await using device = await identity(at(`tpm:handle=0x${handle.toString(16)}`));
      const server = { maxVersion: "TLSv1.2", sigalgs } as const;
      const seen = await handshake((base) => device.secureContext(base), authority.certificatePem, server);
      expect(seen).toEqual({ subject: "press-7", protocol: "TLSv1.2" });
    },
  );

  test("is loaded from its file for each signature, and flushed", async () => {
    await using device = await identity(at(`tpm:file=${keyFile}`));
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const seen = await handshake((base) => device.secureContext(base), authority.certificatePem, { maxVersion });
      expect(seen.protocol).toBe(maxVersion);
    }
    expect(await swtpm.leftovers()).toBe("");
  });

  test("serves again after its TPM went away and came back", async () => {
    await using device = await identity(at(`tpm:handle=0x${handle.toString(16)}`));
    const shake = () => handshake((base) => device.secureContext(base), authority.certificatePem);
    await swtpm.kill();
    await expect(shake()).rejects.toThrow(/the hardware did not sign/);
    await swtpm.start();
    await expect(shake()).resolves.toMatchObject({ subject: "press-7" });
  });

  describe("whose signing thread has crashed", () => {
    /** As the agent comes to use a key: its dialer, a peer that wants a certificate, and the threads that were started. */
    async function scene() {
      const threads = new StartedThreads();
      const device = await identity(at(`tpm:handle=0x${handle.toString(16)}`));
      const peer = await startTlsPeer(undefined, { clientCa: authority.certificatePem });
      const dialer = await testDialer();
      const target = { host: "peer.test", port: peer.port, proxy: "never" } as const;
      const dial = async (): Promise<void> => void (await dialer.dial(target, { identity: device })).socket.destroy();
      const close = async (): Promise<void> => {
        threads[Symbol.dispose]();
        await device.close();
        await peer[Symbol.asyncDispose]();
      };
      return { threads, dial, [Symbol.asyncDispose]: close };
    }
    const unsigned = {
      code: "key.hardware-failed",
      message: expect.stringMatching(/tpm:handle=0x81010010.*did not sign/),
    };

    test("names the handshake that met that, and signs in the next one", async () => {
      await using here = await scene();
      await here.dial();
      for (const threads of [1, 2]) {
        expect(here.threads.all).toHaveLength(threads);
        await here.threads.endLatest();
        await expect(here.dial()).rejects.toMatchObject(unsigned);
        await here.dial();
      }
      expect(here.threads.all).toHaveLength(3);
    });

    test("starts one thread for each attempt while the TPM is away, and names why", async () => {
      await using here = await scene();
      await here.dial();
      await swtpm.kill();
      await expect(here.dial()).rejects.toMatchObject(unsigned);
      expect(here.threads.all).toHaveLength(1);
      await here.threads.endLatest();
      for (const threads of [2, 3]) {
        await expect(here.dial()).rejects.toMatchObject({ code: "tpm.unavailable" });
        expect(here.threads.all).toHaveLength(threads);
      }
      await swtpm.start();
      await here.dial();
      expect(here.threads.all).toHaveLength(4);
    });

    test("does not go on with another key than before", async () => {
      const passing = handle + 5;
      const place = `0x${passing.toString(16)}`;
      await makeTpmKey(swtpm, { handle: passing });
      using threads = new StartedThreads();
      await using opened = (await open(at(`tpm:handle=${place}`))).key;
      await swtpm.tool("tpm2_evictcontrol", "-C", "o", "-c", place);
      await threads.endLatest();
      await expect(opened.secureContext({})).rejects.toMatchObject({ code: "key.not-in-tpm" });
      await makeTpmKey(swtpm, { handle: passing });
      await expect(opened.secureContext({})).rejects.toMatchObject({ code: "certificate.key-mismatch" });
    });
  });

  test("signs again after the folder of its signing thread was taken away", async () => {
    const runtime = scratch.file("runtime");
    await mkdir(runtime);
    vi.stubEnv("XDG_RUNTIME_DIR", runtime);
    onTestFinished(() => void vi.unstubAllEnvs());
    await using device = await identity(at(`tpm:handle=0x${handle.toString(16)}`));
    const [folder = "none"] = await readdir(runtime);
    await rm(join(runtime, folder), { recursive: true });
    const seen = await handshake((base) => device.secureContext(base), authority.certificatePem);
    expect(seen.subject).toBe("press-7");
    // The thread that nobody could reach any more has ended, and left nothing behind.
    expect(await readdir(runtime)).toHaveLength(1);
  });

  test("is no match for the certificate of another", async () => {
    const { publicArea } = await makeTpmKey(swtpm, { handle: handle + 1 });
    expect(pemOf(publicArea)).not.toBe(pemOf((await makeTpmKey(swtpm)).publicArea));
    const other = at(`tpm:handle=0x${(handle + 1).toString(16)}`);
    await expect(identity(other)).rejects.toMatchObject({ code: "certificate.key-mismatch" });
  });

  test("can have a password, without which it does not open", async () => {
    await makeTpmKey(swtpm, { handle: handle + 2, password: "pocket-7" });
    const place = at(`tpm:handle=0x${(handle + 2).toString(16)}`);
    await using opened = (await open(place, "pocket-7")).key;
    expect(opened.location).not.toContain("pocket-7");
    await expect(open(place, "wrong")).rejects.toMatchObject({ code: "tpm.wrong-password" });
  });

  test("stays usable when wrong passwords for another have locked the TPM", async () => {
    const place = at(`tpm:handle=0x${(handle + 2).toString(16)}`);
    const tries = ["a", "b", "c", "d", "e", "f"];
    const codes: string[] = [];
    for (const password of tries) codes.push(await open(place, password).then(String, ({ code }) => code));
    expect(codes.at(-1)).toBe("tpm.locked-out");
    await using device = await identity(at(`tpm:handle=0x${handle.toString(16)}`));
    const seen = await handshake((base) => device.secureContext(base), authority.certificatePem);
    expect(seen.subject).toBe("press-7");
    await swtpm.tool("tpm2_dictionarylockout", "--clear-lockout");
  });

  test.each([
    ["nothing at the handle", () => at("tpm:handle=0x81010099"), "key.not-in-tpm"],
    ["a key that only decrypts", () => at("tpm:handle=0x81000001"), "tpm.unsuitable-key"],
    ["no TPM", () => "tpm:handle=0x81010010;at=swtpm:/nowhere", "tpm.unavailable"],
    ["no file", () => at("tpm:file=/nowhere.pem"), "config.secret-unreadable"],
    ["a file of something else", () => at(`tpm:file=${certificate}`), "key.unusable"],
    ["a URI that is none", () => "tpm:handle=7", "key.invalid-uri"],
  ])("is not opened when there is %s", async (_, location, code) => {
    await chmod(certificate, 0o600);
    await expect(open(location())).rejects.toMatchObject({ code });
  });

  test.each([
    ["a parent that does not stay in the TPM", { parent: 0x40000001 }, "key.unusable"],
    ["a password, while none is set", { emptyPassword: false }, "tpm.wrong-password"],
  ])("is not even asked for when its file names %s", async (_, change, code) => {
    const key = { ...parseTpmKeyFile(await readFile(keyFile, "utf8"), keyFile), ...change };
    const file = await scratch.write("foreign.tss2.pem", formatTpmKeyFile(key));
    await expect(open(`tpm:file=${file};at=swtpm:/nowhere`)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(file),
    });
  });

  test("is made by tpm2-tools as well", async () => {
    await swtpm.tool("tpm2_create", "-C", "0x81000001", "-G", "ecc256:ecdsa-sha256", "-u", "k.pub", "-r", "k.priv");
    const [publicArea, privatePart] = await Promise.all(
      ["k.pub", "k.priv"].map(async (name) => (await readFile(swtpm.file(name))).subarray(2)),
    );
    if (!publicArea || !privatePart) throw new Error("tpm2_create has written nothing");
    const pem = formatTpmKeyFile({ parent: 0x81000001, emptyPassword: true, publicArea, privatePart });
    const foreign = await scratch.write("foreign.tss2.pem", pem);
    await using opened = (await open(at(`tpm:file=${foreign}`))).key;
    expect(opened.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
  });

  test("is loaded by tpm2-tools from our file", async () => {
    const [, ...lines] = (await readFile(keyFile, "utf8")).trim().split("\n");
    expect(lines.at(-1)).toBe("-----END TSS2 PRIVATE KEY-----");
    await swtpm.tool("tpm2_load", "-C", "0x81000001", "-r", keyFile, "-c", "k.ctx").catch(async () => {
      // Tools of before 5.5 want the two parts by themselves.
      const { sized } = await import("../../src/keys/tpm/structure.ts");
      const key = parseTpmKeyFile(await readFile(keyFile, "utf8"), keyFile);
      await writeFile(swtpm.file("o.pub"), sized(key.publicArea));
      await writeFile(swtpm.file("o.priv"), sized(key.privatePart));
      await swtpm.tool("tpm2_load", "-C", "0x81000001", "-u", "o.pub", "-r", "o.priv", "-c", "k.ctx");
    });
    await swtpm.tool("tpm2_flushcontext", "-t");
  });

  describe("under a storage root key on a curve, as some distributions make it", () => {
    const modern = new Swtpm();

    test("is made, and signs", async () => {
      await modern.tool("tpm2_createprimary", "-C", "o", "-G", "ecc", "-c", "srk.ctx");
      await modern.tool("tpm2_evictcontrol", "-C", "o", "-c", "srk.ctx", "0x81000001");
      await modern.tool("tpm2_flushcontext", "-t");
      const file = await scratch.write("modern.tss2.pem", formatTpmKeyFile(await makeTpmKey(modern)));
      // It is opened with a signature that is verified.
      await using opened = (await open(`tpm:file=${file};at=${modern.location}`)).key;
      expect(opened.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
      expect(await modern.leftovers()).toBe("");
    });

    test("is not made under a key that only signs", async () => {
      await modern.tool("tpm2_clear");
      await modern.tool(
        "tpm2_createprimary",
        "-C",
        "o",
        "-G",
        "ecc:ecdsa",
        "-a",
        "fixedtpm|sign|userwithauth|fixedparent|sensitivedataorigin",
        "-c",
        "s.ctx",
      );
      await modern.tool("tpm2_evictcontrol", "-C", "o", "-c", "s.ctx", "0x81000001");
      await modern.tool("tpm2_flushcontext", "-t");
      await expect(makeTpmKey(modern)).rejects.toMatchObject({ code: "tpm.unsuitable-key" });
      expect(await modern.leftovers()).toBe("");
    });
  });

  describe("is never replaced by a key in a file, not even by one that fits the certificate", () => {
    let both: string;

    beforeAll(async () => {
      const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
      const pem = await authority.certify(publicKey.export({ type: "spki", format: "pem" }).toString(), "fits");
      both = await scratch.write("fits.pem", `${pem}${key}`);
      for (const name of ["fits.key", "fits.key.pem"]) await scratch.write(name, key);
      const inFile = await openIdentity({ kind: "pem", certificate: both, privateKey: both }, later);
      await inFile.identity.close();
    });
    const openWith = (privateKey: string) => openIdentity({ kind: "pem", certificate: both, privateKey }, later);

    test("when the TPM is not there", async () => {
      await expect(openWith("tpm:handle=0x81010010;at=swtpm:/nowhere")).rejects.toMatchObject({
        code: "tpm.unavailable",
      });
    });

    test("when the TPM has another key", async () => {
      await expect(openWith(at("tpm:handle=0x81010010"))).rejects.toMatchObject({ code: "certificate.key-mismatch" });
    });

    test("when the engine is not there", async () => {
      process.env.LANDFALL_ENGINES = scratch.file("empty");
      try {
        await expect(openWith(at("tpm:handle=0x81010010"))).rejects.toMatchObject({
          code: "key.engine-missing",
          message: expect.stringMatching(/landfall keys engine.*PKCS#11.*proxy/),
        });
      } finally {
        process.env.LANDFALL_ENGINES = scratch.file("engines");
      }
    });
  });

  describe("the engine", () => {
    const about = (folder: string) => ({ env: { LANDFALL_ENGINES: folder }, userId: process.getuid?.() ?? 0 });

    test("is not loaded from where others could have put it", async () => {
      const folder = scratch.file("open");
      await mkdir(folder);
      await writeFile(`${folder}/landfall.so`, "anything");
      await chmod(folder, 0o777);
      await expect(landfallEngineFolder(about(folder))).rejects.toMatchObject({
        code: "key.engine-missing",
        message: expect.stringContaining("others"),
      });
    });

    test("is C without a warning, in less than 150 lines", async () => {
      const source = fileURLToPath(new URL("../../native/landfall-engine.c", import.meta.url));
      const strict = ["-std=c11", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror", "-fsyntax-only"];
      const ended = await runProcess("cc", [...strict, source]);
      expect(ended).toMatchObject({ code: 0, err: "" });
      expect((await readFile(source, "utf8")).split("\n").length).toBeLessThanOrEqual(150);
    });

    test("is not built without a compiler, and says which package has one", async () => {
      const building = buildEngine({ folder: scratch.file("never"), compilers: ["no-such-compiler"] });
      await expect(building).rejects.toMatchObject({
        code: "key.program-missing",
        message: expect.stringContaining("gcc"),
      });
      await expect(stat(scratch.file("never"))).rejects.toMatchObject({ code: "ENOENT" });
    });

    test("takes no signature from another process", async () => {
      const socket = scratch.file("impostor");
      // What it would answer does not matter: nobody must ask it.
      const program = `require("net").createServer((c) => c.on("data", () => process.stdout.write("told"))).listen(process.argv[1], () => process.stdout.write("ready"))`;
      const impostor = spawn(process.execPath, ["-e", program, socket], { stdio: ["ignore", "pipe", "inherit"] });
      let said = "";
      impostor.stdout.on("data", (chunk) => (said += chunk));
      onTestFinished(() => void impostor.kill());
      await once(impostor.stdout, "data");
      const { publicArea } = await makeTpmKey(swtpm);
      const spki = signingPublicKey(publicArea, "it").export({ type: "spki", format: "der" }).toString("base64");
      const cert = await authority.certify(pemOf(publicArea), "impostor");
      const context = async (base: tls.SecureContextOptions) =>
        withEnvironment({ OPENSSL_ENGINES: scratch.file("engines") }, () =>
          tls.createSecureContext({
            ...base,
            cert,
            privateKeyEngine: "landfall",
            privateKeyIdentifier: `${"0".repeat(64)}:${spki}:${socket}`,
          }),
        );
      await expect(handshake(context, authority.certificatePem)).rejects.toThrow(/does not answer/);
      const ended = once(impostor, "close");
      impostor.kill();
      await ended;
      expect(said).toBe("ready");
    });

    test.each([
      "",
      "-",
      "x".repeat(64),
      `${"x".repeat(64)}:`,
      `${"x".repeat(64)}:AAAA:/s`,
      `${"x".repeat(64)}:${"A".repeat(400)}:/s`,
      `${"x".repeat(64)}:${spkiOnAnotherCurve()}:/s`,
    ])("does not load a key of the name %j", (privateKeyIdentifier) => {
      const load = () => tls.createSecureContext({ privateKeyEngine: "landfall", privateKeyIdentifier });
      expect(() => withEnvironment({ OPENSSL_ENGINES: scratch.file("engines") }, load)).toThrow(/malformed|asn1/);
    });

    function spkiOnAnotherCurve(): string {
      const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
      return publicKey.export({ type: "spki", format: "der" }).toString("base64");
    }
  });
});
