import { chmod, readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { Emulator } from "../../src/emulator/index.ts";
import { programFile, RunningProcess, runProcess } from "../support/landfall-process.ts";
import { OpensslAuthority } from "../support/openssl-authority.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { SoftToken, tokenPeers } from "../support/soft-token.ts";
import { Swtpm } from "../support/swtpm.ts";
import { lacks } from "../support/system-peer.ts";

describe.skipIf([...tokenPeers, "swtpm", "cc"].some(lacks))("a gateway with a key in hardware", () => {
  const scratch = new ScratchFolder();
  const swtpm = new Swtpm();
  const bundle = scratch.file("landfall.cjs");
  let token: SoftToken;
  let authority: OpensslAuthority;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    const make = fileURLToPath(new URL("../../.ci/bundle.mjs", import.meta.url));
    expect(await runProcess(process.execPath, [make, bundle])).toMatchObject({ code: 0 });
    token = await SoftToken.create(scratch, "device");
    authority = await OpensslAuthority.create(scratch, "Factory");
    env = { LANDFALL_ENGINES: scratch.file("engines"), TMPDIR: scratch.path, XDG_RUNTIME_DIR: "", PIN: token.pin };
  });

  describe.each([
    ["the package", () => programFile],
    ["the single file", () => bundle],
  ])("that runs %s", (title, program) => {
    const name = title.replaceAll(" ", "-");

    test.each([
      ["a token", () => `${token.uri(name)}&pin-source=env:PIN`, []],
      ["a TPM", () => `tpm:file=${scratch.file(`${name}.tss2.pem`)};at=${swtpm.location}`, []],
    ])("comes in with a key in %s, from its making to its first message", async (_, place, options) => {
      const key = place();
      const landfall = async (...args: string[]) => {
        const ended = await runProcess(process.execPath, [program(), ...args], { env });
        expect(ended).toMatchObject({ code: 0, err: "" });
        return ended.out;
      };
      await landfall("keys", "engine", "--directory", scratch.file("engines"));
      await landfall("keys", "create", key, ...options);
      const request = await landfall("keys", "csr", key, "--common-name", name);
      const certificate = await scratch.write(`${name}.pem`, await authority.answer(request));
      await chmod(certificate, 0o644);

      await using emulator = await Emulator.start({ assigningPolls: 0 });
      const attestation = { method: "x509", certificate: authority.certificatePem } as const;
      emulator.dps.enroll({ group: "factory", attestation });
      const { idScope, caFile } = emulator.ready;
      const configuration = await scratch.write(
        "landfall.toml",
        `
[provisioning]
source = "dps"
id_scope = "${idScope}"
[provisioning.attestation]
method = "x509"
identity_cert = "${certificate}"
identity_pk = "${key}"
[network]
trust_bundle = "${caFile}"
connect_to = ${JSON.stringify(emulator.connectTo)}
[telemetry]
interval = "0s"
[state]
directory = "${scratch.file(`state-${name}`)}"
`,
      );
      const args = [program(), "run", "-c", configuration, "--stdin", "--json"];
      await using device = new RunningProcess(process.execPath, args, { env });
      device.child.stdin.end('{"pressure":4.5}\n');
      expect(await device.exited).toBe(0);
      expect(emulator.hub().received.map((message) => message.json())).toEqual([{ pressure: 4.5 }]);
      expect(device.out + device.err).not.toContain(token.pin);
      const left = (await readdir(scratch.path)).filter((each) => each.startsWith("landfall-"));
      expect(left).toEqual([]);
    });
  });
});
