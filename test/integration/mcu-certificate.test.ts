import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "smol-toml";
import { beforeAll, describe, expect, test } from "vitest";
import { SimulatedMcu } from "../../firmware-sim/index.ts";
import { Emulator } from "../../src/emulator/index.ts";
import { seededRandom } from "../../src/emulator/randomness.ts";
import { FaultyLink } from "../../src/testing/faulty-link.ts";
import { networkOf } from "../support/emulated-device.ts";
import { landfall, programFile, RunningProcess, runProcess } from "../support/landfall-process.ts";
import { oneInAThousand } from "../support/mcu-gateway.ts";
import { PseudoTerminal } from "../support/pseudo-terminal.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { testIdentity } from "../support/simulated-mcu.ts";
import { lacks } from "../support/system-peer.ts";

const folder = new ScratchFolder();
const env = { LANDFALL_ENGINES: folder.file("engines"), TMPDIR: folder.path, XDG_RUNTIME_DIR: "" };
const bundle = folder.file("landfall.cjs");
const root = fileURLToPath(new URL("../..", import.meta.url));
const { registrationId, certificate } = testIdentity;

/** The configuration of a gateway whose identity is in the MCU at `port`, with a state of its own by this name. */
function configured(emulator: Emulator, name: string, port: string): Promise<string> {
  return folder.write(
    `${name}.toml`,
    stringify({
      provisioning: {
        source: "dps",
        id_scope: emulator.ready.idScope,
        attestation: { method: "x509", identity_cert: "mcu:", identity_pk: "mcu:" },
      },
      network: networkOf(emulator),
      telemetry: { interval: 0 },
      mcu: { port },
      state: { directory: folder.file(`state of ${name}`) },
    }),
  );
}

// In processes of their own, since an agent that waits for its signature lets nothing else in its process go on.
describe.skipIf(lacks("cc"))("a gateway whose certificate and key are in the MCU", () => {
  beforeAll(async () => {
    await mkdir(env.LANDFALL_ENGINES);
    expect(await runProcess(process.execPath, [join(root, ".ci/bundle.mjs"), bundle])).toMatchObject({ code: 0 });
    // The driver is beside the single file.
    await symlink(join(root, "node_modules"), folder.file("node_modules"));
    const built = await landfall(["keys", "engine", "--directory", env.LANDFALL_ENGINES], { env });
    expect(built).toMatchObject({ code: 0 });
  });

  test.each([
    ["a good line", programFile, {}],
    ["a line that spoils one byte in a thousand", programFile, oneInAThousand],
    ["a good line, as a single file", bundle, {}],
  ])(
    "comes in over %s, and carries what the MCU says",
    async (line, program, faults) => {
      await using emulator = await Emulator.start({ retryAfterSeconds: 1 });
      emulator.dps.enroll({ registrationId, attestation: { method: "x509", certificate } });
      await using terminal = await PseudoTerminal.open(folder.file(`tty ${line}`));
      using mcu = new SimulatedMcu({ identity: testIdentity, seed: 7 });
      const link = new FaultyLink({ ...faults, random: seededRandom(3) });
      mcu.attach(link.far);
      terminal.stream
        .pipe(link.near)
        .on("error", () => {})
        .pipe(terminal.stream);
      const signed: unknown[] = [];
      mcu.on("asked", ({ group, command }) => {
        if (group === 70 && command === 3) signed.push(command);
      });
      const file = await configured(emulator, line, terminal.path);
      await using running = new RunningProcess(process.execPath, [program, "run", "-c", file, "--json"], { env });
      await running.event("connected");
      expect(emulator.hub().connections).toMatchObject([{ deviceId: registrationId, credential: "certificate" }]);
      // One to see that it can, one for DPS, one for the hub, and those whose answer was lost.
      expect(signed.length).toBeGreaterThanOrEqual(3);
      await running.json(({ event, version }) => event === "mcu-started" && version === "1.0.0");
      await running.json(({ event, kind }) => event === "telemetry-acknowledged" && kind === "mcu");
      expect(await emulator.hub().invokeMethod(registrationId, "count")).toMatchObject({ payload: { count: 1 } });

      await terminal.close();
      link.hangUp();
      await running.event("mcu-disconnected");
      await using again = await PseudoTerminal.open(terminal.path);
      const replugged = new FaultyLink({ ...faults, random: seededRandom(4) });
      mcu.attach(replugged.far);
      again.stream.pipe(replugged.near).pipe(again.stream);
      await running.event("mcu-connected");
      expect(await emulator.hub().invokeMethod(registrationId, "count")).toMatchObject({ payload: { count: 2 } });
      expect(emulator.hub().connections).toHaveLength(1);
      running.kill("SIGTERM");
      expect(await running.exited).toBe(0);
    },
    50_000,
  );

  test("waits for an MCU that is plugged in after its start", async () => {
    await using emulator = await Emulator.start({ retryAfterSeconds: 1 });
    emulator.dps.enroll({ registrationId, attestation: { method: "x509", certificate } });
    const port = folder.file("tty that comes later");
    const file = await configured(emulator, "a later start", port);
    await using running = new RunningProcess(process.execPath, [programFile, "run", "-c", file, "--json"], { env });
    const absent = { code: "serial.port-not-found", retry: "backoff" };
    expect(await running.event("waiting")).toMatchObject({ error: absent });
    expect(await running.event("waiting")).toMatchObject({ error: absent });
    using mcu = new SimulatedMcu({ identity: testIdentity, seed: 7 });
    await using terminal = await PseudoTerminal.open(port);
    mcu.attach(terminal.stream);
    expect(await running.event("connected")).toMatchObject({ deviceId: registrationId });
    running.kill("SIGTERM");
    expect(await running.exited).toBe(0);
  });
});
