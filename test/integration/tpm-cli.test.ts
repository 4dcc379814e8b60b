import { createPublicKey, X509Certificate } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { runProgram } from "../../src/cli/program.ts";
import { Emulator } from "../../src/emulator/index.ts";
import { fakeTerminal } from "../support/fake-terminal.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { Swtpm } from "../support/swtpm.ts";
import { lacks } from "../support/system-peer.ts";
import { testAuthority } from "../support/tls-peer.ts";

async function keysTpm(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const terminal = fakeTerminal();
  const signal = new AbortController().signal;
  const code = await runProgram({ args: ["keys", "tpm", ...args], env: { HOME: "/absent" }, terminal, signal });
  return { code, ...terminal.written };
}

describe.skipIf(lacks("swtpm"))("landfall keys tpm", () => {
  const swtpm = new Swtpm();
  const scratch = new ScratchFolder();

  test("prints what an enrollment needs, and an enrollment takes it", async () => {
    const { code, out, err } = await keysTpm("--tpm", swtpm.location);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const [id, endorsementKey, storageRootKey, certificate] = out.split("\n\n").map((part) => part.trim().split("\n"));
    expect(id).toEqual(["registration id", expect.stringMatching(/^[a-z2-7]{52}$/)]);
    expect(endorsementKey).toEqual(["endorsement key", expect.stringMatching(/^AToAAQALAAMAsgAg/)]);
    expect(storageRootKey).toEqual(["storage root key", expect.stringMatching(/^ARoAAQALAAMEcgAA/)]);
    expect(certificate).toEqual(["endorsement certificate", "none in this TPM"]);

    await using emulator = await Emulator.start();
    emulator.dps.enroll({
      registrationId: id?.[1] ?? "",
      attestation: { method: "tpm", endorsementKey: endorsementKey?.[1] ?? "" },
    });
    expect(await swtpm.leftovers()).toBe("");
  });

  test("prints the same as JSON, by the configuration", async () => {
    const file = await scratch.write(
      "landfall.toml",
      `[provisioning]
source = "dps"
id_scope = "0ne00000000"
transport = "https"
[provisioning.attestation]
method = "tpm"
registration_id = "press-07"
tpm = "${swtpm.location}"
`,
    );
    const { code, out } = await keysTpm("-c", file, "--json");
    expect(code).toBe(0);
    const printed = JSON.parse(out);
    expect(printed).toEqual({
      schema: "landfall.tpm-keys/1",
      registrationId: "press-07",
      endorsementKey: expect.stringMatching(/^AToAAQALAAMAsgAg/),
      storageRootKey: expect.stringMatching(/^ARoAAQALAAMEcgAA/),
      endorsementCertificate: null,
    });
    const { out: text } = await keysTpm("--tpm", swtpm.location);
    expect(text).toContain(`endorsement key\n${printed.endorsementKey}\n`);
  });

  test("prints the endorsement key's certificate, longer than one read and padded", async () => {
    const issued = await (await testAuthority()).issue({ commonName: "A vendor's TPM", usage: "client" });
    const certificate = new X509Certificate(issued.certificatePem);
    const padded = Buffer.concat([certificate.raw, Buffer.alloc(1500 - certificate.raw.length, 0xff)]);
    await writeFile(swtpm.file("cert.der"), padded);
    const attributes = "ownerwrite|ownerread|authread|authwrite|no_da";
    await swtpm.tool("tpm2_nvdefine", "0x01c00002", "-C", "o", "-s", "1500", "-a", attributes);
    await swtpm.tool("tpm2_nvwrite", "0x01c00002", "-C", "o", "-i", "cert.der");
    const { out, err } = await keysTpm("--tpm", swtpm.location, "--json");
    expect(err).toBe("");
    expect(new X509Certificate(JSON.parse(out).endorsementCertificate).raw).toEqual(certificate.raw);
    expect(createPublicKey(JSON.parse(out).endorsementCertificate).asymmetricKeyType).toBe("ec");
    await writeFile(swtpm.file("cert.der"), Buffer.alloc(1500));
    await swtpm.tool("tpm2_nvwrite", "0x01c00002", "-C", "o", "-i", "cert.der");
    expect(await keysTpm("--tpm", swtpm.location)).toMatchObject({
      code: 0,
      out: expect.stringContaining("none in this TPM"),
      err: expect.stringContaining("the endorsement certificate in the TPM cannot be read"),
    });
  });

  test.each([
    ["a location that is none", ["--tpm", "tpm0"], 'expected --tpm "device:/dev/tpmrm0"'],
    ["a template that nobody knows", ["--tpm", "device:/dev/absent", "--key-template", "vendor"], "tcg or azure"],
    ["a registration id", ["device-7"], "keys"],
  ])("refuses %s with exit code 2", async (_, args, says) => {
    const { code, err } = await keysTpm(...args);
    expect(code).toBe(2);
    expect(err).toContain(says);
  });

  test("says what to do about a TPM that is not there", async () => {
    const { code, err } = await keysTpm("--tpm", "device:/dev/absent");
    expect(code).toBe(1);
    expect(err).toContain("there is no such device");
    expect(err).toContain("its group (tss)");
  });
});
