import { createPublicKey } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { runProgram } from "../../src/cli/program.ts";
import { fakeTerminal } from "../support/fake-terminal.ts";
import { openssl } from "../support/openssl.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { lacksTokens, SoftToken } from "../support/soft-token.ts";
import { Swtpm } from "../support/swtpm.ts";
import { lacks } from "../support/system-peer.ts";

describe.skipIf(lacksTokens() || ["swtpm", "cc"].some(lacks))("landfall keys", () => {
  const scratch = new ScratchFolder();
  const swtpm = new Swtpm();
  let token: SoftToken;
  beforeAll(async () => {
    token = await SoftToken.create(scratch, "device");
  });

  async function keys(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const terminal = fakeTerminal();
    const signal = new AbortController().signal;
    const code = await runProgram({ args: ["keys", ...args], env, terminal, signal });
    return { code, ...terminal.written };
  }
  const pin = () => ({ PIN: token.pin });

  const places: readonly (readonly [string, () => string, readonly string[]])[] = [
    ["an EC key in a file", () => scratch.file("ec.key"), []],
    ["an RSA key in a file", () => scratch.file("rsa.key"), ["--type", "rsa"]],
    ["an encrypted key in a file", () => scratch.file("encrypted.key"), ["--password-env", "PIN"]],
    ["an EC key in a token", () => token.uri("ec-key"), ["--password-env", "PIN"]],
    ["an RSA key in a token", () => token.uri("rsa-key"), ["--type", "rsa", "--password-env", "PIN"]],
    ["a key in a TPM", () => `tpm:handle=0x81010020;at=${swtpm.location}`, []],
    ["a key in a TPM, with a password", () => `tpm:handle=0x81010021;at=${swtpm.location}`, ["--password-env", "PIN"]],
    ["a key wrapped by a TPM", () => `tpm:file=${scratch.file("device.tss2.pem")};at=${swtpm.location}`, []],
  ];

  test.each(places)("makes %s once, and a request with it that openssl verifies", async (_, place, options) => {
    const created = await keys(["create", place(), ...options, "--json"], pin());
    expect(created).toMatchObject({ code: 0, err: "" });
    const { schema, publicKey } = JSON.parse(created.out) as { schema: string; publicKey: string };
    expect(schema).toBe("landfall.created-key/1");

    const again = await keys(["create", place(), ...options], pin());
    expect(again).toMatchObject({ code: 2, out: "", err: expect.stringContaining("key.already-there") });

    const password = options.includes("PIN") ? ["--password-env", "PIN"] : [];
    const requested = await keys(["csr", place(), "--common-name", "press-7", ...password], pin());
    expect(requested).toMatchObject({ code: 0, err: "" });
    const file = await scratch.write("request.csr", requested.out);
    await openssl("req", "-in", file, "-verify", "-noout");
    expect(await openssl("req", "-in", file, "-noout", "-subject")).toContain("CN = press-7");
    const asked = createPublicKey(await openssl("req", "-in", file, "-noout", "-pubkey"));
    expect(asked.equals(createPublicKey(publicKey))).toBe(true);
  });

  test("makes a request with the key of a PKCS#12 file, to renew its certificate", async () => {
    const [key, certificate, file] = ["p.key", "p.pem", "old.p12"].map((name) => scratch.file(name)) as [
      string,
      string,
      string,
    ];
    await openssl(
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-noenc",
      "-keyout",
      key,
      "-subj",
      "/CN=old",
      "-out",
      certificate,
    );
    await openssl(
      "pkcs12",
      "-export",
      "-inkey",
      key,
      "-in",
      certificate,
      "-passout",
      `pass:${token.pin}`,
      "-out",
      file,
    );
    const requested = await keys(["csr", file, "--common-name", "press-7", "--password-env", "PIN"], pin());
    expect(requested).toMatchObject({ code: 0, err: "" });
    const request = await scratch.write("renewal.csr", requested.out);
    await openssl("req", "-in", request, "-verify", "-noout");
    expect(await openssl("req", "-in", request, "-noout", "-pubkey")).toBe(
      await openssl("pkey", "-in", key, "-pubout"),
    );
  });

  test("keeps key files to their owner, and a TPM's file in the form that tpm2-tools read", async () => {
    for (const name of ["ec.key", "device.tss2.pem"]) {
      expect((await stat(scratch.file(name))).mode & 0o777).toBe(0o600);
    }
    expect(await readFile(scratch.file("device.tss2.pem"), "utf8")).toMatch(/^-----BEGIN TSS2 PRIVATE KEY-----\n/);
    expect(await openssl("asn1parse", "-in", scratch.file("device.tss2.pem"))).toContain("2.23.133.10.1.3");
  });

  test("leaves nothing in the TPM's memory", async () => {
    expect(await swtpm.leftovers()).toBe("");
  });

  test.each([
    ["RSA in a TPM", () => ["create", "tpm:handle=0x81010030", "--type", "rsa"], 2, "key.unusable"],
    ["another type", () => ["create", "x.key", "--type", "dsa"], 2, "--type ec or rsa"],
    ["an owner's password for a file", () => ["create", "x.key", "--owner-password-file", "x"], 2, "in a TPM alone"],
    ["no key", () => ["create"], 2, "expected a key's place"],
    ["two keys", () => ["csr", "a", "b"], 2, 'unexpected argument "b"'],
    ["no name", () => ["csr", scratch.file("ec.key")], 2, "--common-name"],
    [
      "a PIN on the command line",
      () => ["create", `${token.uri("k")}&pin-value=4711`],
      2,
      "no PIN on the command line",
    ],
    ["a wrong password of a key in a TPM", wrongTpmPassword, 2, "tpm.wrong-password"],
    ["a folder that is not there", () => ["create", "/absent/x.key"], 2, "key.not-created"],
    ["a TPM that is not there", () => ["create", "tpm:handle=0x81010030;at=swtpm:/absent"], 1, "tpm.unavailable"],
    ["a wrong PIN", () => ["create", token.uri("other"), "--password-env", "WRONG"], 2, "key.wrong-pin"],
    [
      "a token that is not there",
      () => ["csr", token.uri("k").replace("=device", "=absent"), "--common-name", "x", "--password-env", "PIN"],
      2,
      "key.token-missing",
    ],
  ] as const)("refuses %s", async (_, args, code, says) => {
    const result = await keys(args(), { WRONG: "0000", ...pin() });
    expect(result).toMatchObject({ code, out: "", err: expect.stringContaining(says) });
    expect(result.err).not.toMatch(/4711|648219/);
  });

  function wrongTpmPassword(): string[] {
    const place = `tpm:handle=0x81010021;at=${swtpm.location}`;
    return ["csr", place, "--common-name", "x", "--password-env", "WRONG"];
  }

  describe("in a TPM whose owner has set a password", () => {
    const owned = new Swtpm();
    const place = () => `tpm:handle=0x81010020;at=${owned.location}`;
    beforeAll(() => owned.tool("tpm2_changeauth", "-c", "owner", "owner's"));

    test("makes a key with that password alone", async () => {
      expect(await keys(["create", place()])).toMatchObject({
        code: 2,
        err: expect.stringContaining("tpm.wrong-password"),
      });
      const file = await scratch.write("owner", "owner's\n");
      expect(await keys(["create", place(), "--owner-password-file", file])).toMatchObject({ code: 0, err: "" });
      expect(await keys(["csr", place(), "--common-name", "press-7"])).toMatchObject({ code: 0, err: "" });
      expect(await owned.leftovers()).toBe("");
    });
  });

  test("builds the engine where it is told to, and only there", async () => {
    const folder = scratch.file("engines");
    const built = await keys(["engine", "--directory", folder, "--json"]);
    expect(JSON.parse(built.out)).toEqual({ schema: "landfall.key-engine/1", file: `${folder}/landfall.so` });
    expect((await stat(`${folder}/landfall.so`)).mode & 0o777).toBe(0o644);
    expect(await readdir(folder)).toEqual(["landfall.so"]);
  });
});
