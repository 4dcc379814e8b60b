import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { Emulator } from "../../src/emulator/index.ts";
import { RunningProcess, runProcess } from "../support/landfall-process.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";

const folder = new ScratchFolder();
const program = folder.file("landfall.cjs");

beforeAll(async () => {
  const make = fileURLToPath(new URL("../../.ci/bundle.mjs", import.meta.url));
  const { code, out, err } = await runProcess(process.execPath, [make, program]);
  if (code !== 0) throw new Error(`${out}${err}`);
});

describe("the single file, in a folder where there is nothing else", () => {
  test("provisions a device and serves it", async () => {
    await using emulator = await Emulator.start({ assigningPolls: 0 });
    const enrollment = emulator.dps.enroll({ registrationId: "dev", attestation: { method: "symmetric_key" } });
    const { idScope, caFile } = emulator.ready;
    const configuration = await folder.write(
      "landfall.toml",
      `
[provisioning]
source = "dps"
id_scope = "${idScope}"
[provisioning.attestation]
method = "symmetric_key"
registration_id = "dev"
symmetric_key = "${enrollment.deviceKey()}"
[network]
trust_bundle = "${caFile}"
connect_to = ${JSON.stringify(emulator.connectTo)}
[telemetry]
interval = "0s"
[state]
directory = "${folder.file("state")}"
`,
    );
    await using device = new RunningProcess(
      process.execPath,
      [program, "run", "-c", configuration, "--stdin", "--json"],
      {
        cwd: folder.path,
      },
    );
    device.child.stdin.end('{"temperature":20.5}\n');
    expect(await device.exited).toBe(0);
    expect(emulator.hub().received.map((message) => message.json())).toEqual([{ temperature: 20.5 }]);
  });

  test("knows its version, and says where the emulator is", async () => {
    const options = { cwd: folder.path };
    const version = await runProcess(process.execPath, [program, "--version"], options);
    expect(version.out).toMatch(/^\d+\.\d+\.\d+\n$/);
    const emulator = await runProcess(process.execPath, [program, "emulator"], options);
    expect([emulator.code, emulator.err]).toEqual([2, expect.stringContaining("not in the single file")]);
  });
});
