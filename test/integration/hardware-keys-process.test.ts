import { chmod, readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { Emulator } from "../../src/emulator/index.ts";
import { programFile, RunningProcess, runProcess } from "../support/landfall-process.ts";
import { OpensslAuthority } from "../support/openssl-authority.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { lacksTokens, SoftToken } from "../support/soft-token.ts";
import { Swtpm } from "../support/swtpm.ts";
import { lacks } from "../support/system-peer.ts";

describe.skipIf(lacksTokens() || ["swtpm", "cc"].some(lacks))("a gateway with a key in hardware", () => {
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
    env = { LANDFALL_ENGINES: scratch.file("engines"), XDG_RUNTIME_DIR: scratch.path, PIN: token.pin };
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

  describe("that cannot use its key", () => {
    let certificate: string;
    const other = "/usr/lib/softhsm/../softhsm/none.so";

    beforeAll(async () => {
      const publicKey = await token.makeKey("lonely", "ec");
      certificate = await scratch.write("lonely.pem", await authority.certify(publicKey, "lonely"));
      await runProcess(process.execPath, [programFile, "keys", "engine", "--directory", scratch.file("engines")], {
        env,
      });
    });

    async function attempt(key: string, environment: NodeJS.ProcessEnv = {}) {
      const configuration = await scratch.write(
        "failing.toml",
        `
[provisioning]
source = "dps"
id_scope = "0ne00000000"
[provisioning.attestation]
method = "x509"
identity_cert = "${certificate}"
identity_pk = "${key}"
[state]
directory = "${scratch.file("state-failing")}"
`,
      );
      return runProcess(process.execPath, [programFile, "run", "-c", configuration], {
        env: { ...env, ...environment },
      });
    }

    const failures: readonly (readonly [string, () => string, NodeJS.ProcessEnv, string])[] = [
      ["for a wrong PIN", () => `${token.uri("lonely")}&pin-source=env:WRONG`, {}, "key.wrong-pin"],
      ["for a PIN that is not set", () => token.uri("lonely"), {}, "key.wrong-pin"],
      ["for a key that the token lacks", () => `${token.uri("lost")}&pin-source=env:PIN`, {}, "key.not-in-token"],
      [
        "for a module that is not there",
        () => token.uri("lonely", `module-path=${other}&pin-source=env:PIN`),
        {},
        "key.module-unusable",
      ],
      ["for a library that is no module", notAModule, {}, "key.module-unusable"],
      [
        "without OpenSSL's engine",
        () => `${token.uri("lonely")}&pin-source=env:PIN`,
        { OPENSSL_ENGINES: "/nowhere" },
        "key.engine-missing",
      ],
      [
        "without landfall's engine",
        () => "tpm:handle=0x81010010",
        { LANDFALL_ENGINES: "/nowhere" },
        "key.engine-missing",
      ],
    ];

    test.each(failures)("says so %s, and shows no PIN", async (_, key, environment, code) => {
      const { code: exitCode, out, err } = await attempt(key(), { WRONG: "995511", ...environment });
      expect(err).toContain(`code: ${code}`);
      expect(exitCode).toBe(2);
      expect(out + err).not.toMatch(/995511|648219/);
    });

    /** Any library will do that knows nothing of PKCS#11. */
    function notAModule(): string {
      return token.uri("lonely", `module-path=${scratch.file("engines/landfall.so")}&pin-source=env:PIN`);
    }
  });
});
