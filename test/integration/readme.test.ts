import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "smol-toml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CertificateAuthority, Emulator } from "../../src/emulator/index.ts";
import { RunningProcess, runProcess } from "../support/landfall-process.ts";
import { commandsOf, readmeBlocks } from "../support/readme.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { installForUser } from "../support/user-folder.ts";

const folder = new ScratchFolder();
const [project, configuration, device, network, library, ownTest, emulatorCommand, ...others] = readmeBlocks();
if (!project || !configuration || !device || !network || !library || !ownTest || !emulatorCommand)
  throw new Error("blocks are gone");

let emulator: Emulator;
let env: NodeJS.ProcessEnv;

/** The README's file, on a machine that has certificate and key elsewhere, with the emulator in place of the cloud. */
async function writeConfiguration(): Promise<void> {
  const factory = await CertificateAuthority.create({ commonName: "factory" });
  emulator.dps.enroll({ group: "factory", attestation: { method: "x509", certificate: factory.certificatePem } });
  const { chainPem, privateKeyPem } = await factory.issue({ commonName: "press-07", usage: "client" });
  await folder.write("press-07.pem", chainPem);
  await folder.write("press-07.key", privateKeyPem);
  const tables = `
[network]
trust_bundle = "${emulator.ready.caFile}"
connect_to = ${JSON.stringify(emulator.connectTo)}
[state]
directory = "state"
`;
  await folder.write("landfall.toml", configuration?.text.replaceAll("/etc/landfall/", `${folder.path}/`) + tables);
}

beforeAll(async () => {
  env = await installForUser(folder);
  emulator = await Emulator.start({ idScope: "0ne00000000", assigningPolls: 0 });
  await writeConfiguration();
});

afterAll(() => emulator.close());

/** Starts a line of the README as a user's shell does. */
const shell = (command: string) =>
  new RunningProcess("bash", ["-c", `exec 2>&1; ${command}`], { cwd: folder.path, env });

describe("the README", () => {
  test("has these blocks and no other, of the lengths it promises", () => {
    const all = [project, configuration, device, network, library, ownTest, emulatorCommand, ...others];
    expect(all.map(({ language }) => language)).toEqual(["sh", "toml", "sh", "sh", "js", "js", "sh"]);
    for (const { text } of [configuration, library, ownTest]) {
      const code = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("//"));
      expect(code.length).toBeLessThanOrEqual(21);
    }
  });

  test("the two commands are those that continuous integration runs", () => {
    const script = readFileSync(fileURLToPath(new URL("../../.ci/run", import.meta.url)), "utf8");
    const commands = commandsOf(project).flatMap((line) => line.split(" && "));
    expect(commands).toEqual(["npm ci", "npm run demo", "npm ci", "npm test"]);
    for (const command of commands) expect(script).toMatch(new RegExp(`^ *${command}\\b`, "m"));
  });

  test("the configuration is valid, and is for a real DPS", async () => {
    const { provisioning } = parse(configuration.text) as { provisioning: Record<string, unknown> };
    expect(provisioning).not.toHaveProperty("global_endpoint");
    const check = await runProcess("landfall", ["run", "--check-config"], { cwd: folder.path, env });
    expect(check).toMatchObject({ code: 0, out: expect.stringContaining("the device is press-07") });
  });

  test("the commands on a device do what is said beside them", async () => {
    const commands = commandsOf(device);
    const last = commands.at(-1) ?? "";
    expect(commands.map((command) => /landfall.*/.exec(command)?.[0])).toEqual([
      "landfall run --check-config",
      "landfall provision",
      "landfall run --stdin",
      "landfall run",
    ]);
    for (const command of commands.slice(0, -1)) {
      await using running = shell(command);
      expect(await running.exited).toBe(0);
    }
    expect(emulator.dps.registrations).toMatchObject([{ registrationId: "press-07" }]);
    const sent = emulator.hub().received.find(({ properties }) => properties.kind !== "system");
    expect(sent?.json()).toEqual({ temperature: 21.5 });

    const from = emulator.events.of("hub.connected").length;
    await using agent = shell(`exec ${last}`);
    await emulator.events.next("hub.connected", { where: () => emulator.events.of("hub.connected").length > from });
    await agent.shows(/connected to the hub/);
    agent.kill("SIGTERM");
    expect(await agent.exited).toBe(0);
    expect(emulator.events.of("dps.register")).toHaveLength(1);
  });

  test("the commands for a private network explain the way, and find nothing wrong with it", async () => {
    const [endpoint = "", doctor = ""] = commandsOf(network);
    expect([endpoint, doctor]).toEqual(["landfall endpoint", "landfall doctor"]);
    await using explained = shell(endpoint);
    expect(await explained.exited).toBe(0);
    expect(explained.out).toContain("Dial global.azure-devices-provisioning.net");
    await using examined = shell(doctor);
    // 1: only warnings, for the way through connect_to proves nothing about a network.
    expect(await examined.exited, examined.out).toBeLessThanOrEqual(1);
  });

  test("the library program runs as it is printed", async () => {
    const hub = emulator.hub();
    await folder.write("press.mjs", library.text);
    await using program = new RunningProcess(process.execPath, ["press.mjs"], { cwd: folder.path, env });
    await program.shows(/connected to hub-a\.azure-devices\.net/);
    await program.shows(/desired properties, version \d+: \{\}/);
    expect(hub.received.at(-1)).toMatchObject({ properties: { alarm: "no" } });
    expect(hub.twin("press-07").reported).toMatchObject({ firmware: "1.4.2" });
    expect(await hub.invokeMethod("press-07", "blink", { times: 3 })).toMatchObject({
      status: 200,
      payload: { blinked: 3 },
    });
    hub.dropConnection("press-07");
    await program.shows(/lost the connection: .*\nconnected to/);
    const version = hub.updateDesired("press-07", { stop: true });
    expect(await program.exited).toBe(0);
    expect(program.out).toContain(`desired properties, version ${version}: {"stop":true}`);
    expect(program.err).toBe("");
  });

  test("the user's own test passes as it is printed", async () => {
    await folder.write("press.test.mjs", ownTest.text.replace("/tmp/", `${folder.path}/`));
    const { code, out } = await runProcess(process.execPath, ["--test", "--test-reporter=tap", "press.test.mjs"], {
      cwd: folder.path,
      env,
    });
    expect(out).toContain("# pass 1");
    expect(code).toBe(0);
  });

  test("the emulator's command prints what is promised", async () => {
    const [command = ""] = commandsOf(emulatorCommand);
    // Any free port, because this machine may have others on the real ones.
    await using running = shell(`exec ${command} --mqtt-port 0 --ws-port 0`);
    expect(await running.json()).toMatchObject({
      schema: "landfall.emulator/1",
      mqttPort: expect.any(Number),
      caFile: expect.any(String),
      idScope: expect.any(String),
      enrollments: [{ registrationId: "press-07", primaryKey: expect.any(String) }],
    });
    running.kill("SIGTERM");
    expect(await running.exited).toBe(0);
  });
});
