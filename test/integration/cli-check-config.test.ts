import { describe, expect, test } from "vitest";
import { CertificateAuthority, Emulator } from "../../src/emulator/index.ts";
import { networkOf, writeConfiguration } from "../support/emulated-device.ts";
import { landfall } from "../support/landfall-process.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";

const folder = new ScratchFolder();
const authority = await CertificateAuthority.create({ commonName: "factory" });
const { chainPem, privateKeyPem } = await authority.issue({ commonName: "press-07", usage: "client" });

const faulty = `
trust_bundle = "/nowhere.pem"
[provisioning]
source = "dps"
id_scope = 7
[provisioning.attestation]
method = "symmetric_key"
registration_id = "press 07"
symmetric_key = "not base64 at all"
[hub]
keep_alive = "1s"
[network]
connect_to = ["nonsense"]
proxy = "ftp://user:pr0xy-word@h"
`;

describe("run --check-config", () => {
  test("a valid configuration exits 0, names the device, and contacts nobody", async () => {
    await using emulator = await Emulator.start();
    const file = await writeConfiguration(folder, "valid", {
      provisioning: {
        source: "dps",
        id_scope: "0ne1",
        attestation: {
          method: "x509",
          identity_cert: await folder.write("c.pem", chainPem),
          identity_pk: await folder.write("k.pem", privateKeyPem),
        },
      },
      network: networkOf(emulator),
    });
    const plain = await landfall(["run", "--check-config", "-c", file]);
    expect(plain).toMatchObject({ code: 0, out: `${file} is valid; the device is press-07\n` });

    const { code, out } = await landfall(["run", "--check-config", "--json", "-c", file]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      schema: "landfall.configuration/1",
      file,
      warnings: [],
      settings: {
        provisioning: { source: "dps", attestation: { identity_pk: folder.file("k.pem") } },
        hub: { transport: "mqtt", keep_alive: "4m" },
      },
    });
    expect(emulator.events.all).toEqual([]);
  });

  test("every fault is reported at once, with its path, exit 2", async () => {
    const file = await folder.write("faulty.toml", faulty);
    const { code, out, err } = await landfall(["run", "--check-config", "-c", file]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    for (const fault of [
      "trust_bundle: ",
      "provisioning.id_scope: expected",
      "provisioning.attestation.registration_id: expected",
      "provisioning.attestation.symmetric_key: expected",
      "hub.keep_alive: expected",
      "network.connect_to[0]: expected",
      "network.proxy: expected",
    ]) {
      expect(err).toContain(`  ${fault}`);
    }
    expect(err).toContain("code: config.invalid");
    expect(err).not.toMatch(/not base64 at all|pr0xy-word/);
  });

  test("the same as JSON", async () => {
    const file = await folder.write("faulty.toml", faulty);
    const { code, out } = await landfall(["run", "--check-config", "--json", "-c", file]);
    expect(code).toBe(2);
    const { schema, error } = JSON.parse(out) as { schema: string; error: { code: string; details: string[] } };
    expect(schema).toBe("landfall.error/1");
    expect(error.code).toBe("config.invalid");
    expect(error.details.length).toBeGreaterThanOrEqual(7);
    expect(out).not.toMatch(/not base64 at all|pr0xy-word/);
  });

  test("a key that its group can read is warned about, in the log and in the result", async () => {
    const file = await writeConfiguration(folder, "group-readable", {
      provisioning: {
        source: "dps",
        id_scope: "0ne1",
        attestation: {
          method: "x509",
          identity_cert: await folder.write("c.pem", chainPem),
          identity_pk: await folder.write("group-readable.key", privateKeyPem, 0o640),
        },
      },
    });
    const { code, out, err } = await landfall(["run", "--check-config", "--json", "-c", file]);
    expect(code).toBe(0);
    const { warnings } = JSON.parse(out) as { warnings: string[] };
    expect(warnings).toEqual([expect.stringContaining("group-readable.key")]);
    expect(err.match(/ warn .*group-readable\.key/g)).toHaveLength(1);
  });

  test("a file that is no TOML says where, and shows nothing of it", async () => {
    const file = await folder.write("broken.toml", 'a = 1\nsymmetric_key = "c2VjcmV0\nb = 2\n');
    const { code, err } = await landfall(["run", "--check-config", "-c", file]);
    expect(code).toBe(2);
    expect(err).toContain(`${file}:2:`);
    expect(err).not.toContain("c2VjcmV0");
  });

  test("without -c looks for landfall.toml in the working directory", async () => {
    const { code, err } = await landfall(["run", "--check-config"], { cwd: folder.path });
    expect(code).toBe(2);
    expect(err).toContain(folder.file("landfall.toml"));
    expect(err).toContain("/etc/landfall/landfall.toml");
    expect(err).toContain("landfall init");
  });

  test.each([
    ["another name", "press-08", privateKeyPem, 0o600, "certificate.name-mismatch"],
    ["another key", "press-07", undefined, 0o600, "certificate.key-mismatch"],
    ["a key that everybody can read", "press-07", privateKeyPem, 0o644, "chmod 600"],
  ])("a certificate with %s exits 2", async (name, registration_id, key, mode, says) => {
    const other = (await authority.issue({ commonName: "other", usage: "client" })).privateKeyPem;
    const file = await writeConfiguration(folder, name, {
      provisioning: {
        source: "dps",
        id_scope: "0ne1",
        attestation: {
          method: "x509",
          registration_id,
          identity_cert: await folder.write("c.pem", chainPem),
          identity_pk: await folder.write(`${name}.pem`, key ?? other, mode),
        },
      },
    });
    const { code, out, err } = await landfall(["run", "--check-config", "-c", file]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(says);
  });
});
