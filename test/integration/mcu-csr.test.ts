import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type McuIdentityOptions, openLine, SimulatedMcu } from "../../firmware-sim/index.ts";
import { runProgram } from "../../src/cli/program.ts";
import { CertificateAuthority } from "../../src/emulator/certificate-authority.ts";
import { writeConfiguration } from "../support/emulated-device.ts";
import { fakeTerminal } from "../support/fake-terminal.ts";
import { openssl } from "../support/openssl.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { testIdentity } from "../support/simulated-mcu.ts";

const folder = new ScratchFolder();

/** Asks for a request with the key of an MCU at a socket. */
async function requested(name: string, identity: McuIdentityOptions) {
  using mcu = new SimulatedMcu({ identity, seed: 7 });
  await using line = await openLine((stream) => mcu.attach(stream), { kind: "unix", path: folder.file(name) });
  const terminal = fakeTerminal();
  const args = ["keys", "csr", "mcu:", "--port", line.address, "--common-name", "press-7"];
  const { signal } = new AbortController();
  const code = await runProgram({ args, env: { HOME: folder.path }, terminal, signal });
  return { code, ...terminal.written };
}

describe("landfall keys csr mcu:", () => {
  test("makes a request with the key in the MCU, to renew the certificate there", async () => {
    const { code, out, err } = await requested("renewal.sock", testIdentity);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const file = await folder.write("renewal.csr", out);
    await openssl("req", "-in", file, "-verify", "-noout");
    expect(await openssl("req", "-in", file, "-noout", "-subject")).toContain("CN = press-7");
    const { publicKey } = new X509Certificate(testIdentity.certificate);
    expect(await openssl("req", "-in", file, "-noout", "-pubkey")).toBe(
      publicKey.export({ type: "spki", format: "pem" }),
    );
  });

  test("does not pass on the request of an MCU whose certificate is of another key", async () => {
    const authority = await CertificateAuthority.create({ commonName: "Another factory" });
    const { certificatePem: certificate } = await authority.issue({ commonName: "press-7", usage: "client" });
    const { code, out, err } = await requested("another.sock", { ...testIdentity, certificate });
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("certificate.key-mismatch");
  });

  test("names what an MCU without a certificate lacks", async () => {
    const { registrationId, symmetricKey } = testIdentity;
    const { code, out, err } = await requested("bare.sock", { registrationId, symmetricKey });
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("smp.refused");
  });

  test("wants to know where the MCU is", async () => {
    const attestation = {
      method: "symmetric_key",
      registration_id: "press-7",
      symmetric_key: { value: testIdentity.symmetricKey },
    };
    const file = await writeConfiguration(folder, "without-mcu", {
      provisioning: { source: "dps", id_scope: "0ne00ABCDEF", attestation },
    });
    const terminal = fakeTerminal();
    const { signal } = new AbortController();
    const args = ["keys", "csr", "mcu:", "--common-name", "press-7", "-c", file];
    expect(await runProgram({ args, env: { HOME: folder.path }, terminal, signal })).toBe(2);
    expect(terminal.written.err).toContain("expected --port, or [mcu] port in the configuration");
  });
});
