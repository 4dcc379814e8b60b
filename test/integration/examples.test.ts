import { readdirSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Emulator, parseEnrollmentFile } from "../../src/emulator/index.ts";
import { RunningProcess, runProcess } from "../support/landfall-process.ts";
import { canHavePrivateWorld, openPrivateWorld } from "../support/private-world.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { installForUser } from "../support/user-folder.ts";

const example = (name: string): string => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
const folder = new ScratchFolder();
const deviceId = "press-07";

let emulator: Emulator;
let env: NodeJS.ProcessEnv;

/** The examples' `landfall.toml`, for an emulator on other ports. */
async function configurationFor({ mqttPort, wsPort }: { mqttPort: unknown; wsPort: unknown }): Promise<string> {
  const text = await readFile(example("landfall.toml"), "utf8");
  return text.replace("127.0.0.1:8883", `127.0.0.1:${mqttPort}`).replace("127.0.0.1:8443", `127.0.0.1:${wsPort}`);
}

beforeAll(async () => {
  const page = await readFile(example("README.md"), "utf8");
  const key = /^export DEVICE_KEY=(.*)$/m.exec(page)?.[1] ?? "";
  env = { ...(await installForUser(folder)), DEVICE_KEY: key };
  emulator = await Emulator.start({
    hubs: ["plant-7"],
    enrollments: parseEnrollmentFile(await readFile(example("enrollments.toml"), "utf8")),
    directory: folder.file("emulator"),
    assigningPolls: 0,
  });
  await folder.write("landfall.toml", await configurationFor(emulator.ready));
});

afterAll(() => emulator.close());

const start = (command: string, ...args: string[]): RunningProcess =>
  new RunningProcess(command, args, { cwd: folder.path, env });

describe("the examples", () => {
  test("are these, each of which is run here and named on their page", async () => {
    const files = readdirSync(example("")).filter(
      (name) => !["README.md", "biome.json", "emulator", "state"].includes(name),
    );
    const tried = [
      "azure-sdk-transports.mjs",
      "disk-usage.sh",
      "enrollments.toml",
      "https-dps-transport.mjs",
      "inbox.mjs",
      "landfall.toml",
      "own-transport.mjs",
      "press.mjs",
      "provisioning.test.mjs",
    ];
    expect(files.sort()).toEqual(tried);
    const page = await readFile(example("README.md"), "utf8");
    for (const file of files) expect(page).toContain(`[${file}](${file})`);
  });

  test("press.mjs sends, blinks, follows its twin, and ends at a signal", async () => {
    const hub = emulator.hub();
    await using press = start(process.execPath, example("press.mjs"));
    await press.shows(/connected to plant-7\.azure-devices\.net as press-07/);
    const reported = await emulator.events.next("hub.reported");
    expect(reported.patch).toEqual({ everySeconds: { value: 5, ac: 200, av: 1 } });
    const version = hub.updateDesired(deviceId, { everySeconds: "often" });
    const refused = await emulator.events.next("hub.reported", { where: ({ patch }) => patch !== reported.patch });
    expect(refused.patch).toEqual({ everySeconds: { value: 5, ac: 400, av: version } });
    expect(await hub.invokeMethod(deviceId, "blink", { times: 2 })).toMatchObject({ payload: { blinked: 2 } });
    expect(await hub.invokeMethod(deviceId, "blink", { times: "x" })).toMatchObject({ status: 400 });
    expect(hub.received[0]?.json()).toEqual({ temperature: expect.any(Number) });
    expect(hub.received[0]?.properties).toEqual({ alarm: expect.stringMatching(/^(yes|no)$/) });
    press.kill("SIGTERM");
    expect(await press.exited).toBe(0);
    expect(press.out).toContain("blink blink");
    expect(press.err).toBe("");
  });

  test("inbox.mjs shows what the cloud sends, and completes it", async () => {
    const hub = emulator.hub();
    await using inbox = start(process.execPath, example("inbox.mjs"));
    const sent = ["open", "shut"].map((payload) => hub.sendToDevice(deviceId, { payload, properties: { gate: "3" } }));
    await Promise.all(sent.map(({ completed }) => completed));
    const [open, shut] = sent.map(({ messageId }) => messageId);
    await inbox.shows(new RegExp(`^${open}: open {"gate":"3"}\n${shut}: shut {"gate":"3"}\n`));
    inbox.kill("SIGINT");
    expect(await inbox.exited).toBe(0);
    expect(inbox.err).toBe("");
  });

  test("azure-sdk-transports.mjs sends by another library, under real names", async ({ skip }) => {
    if (!(await canHavePrivateWorld())) skip("needs root, or user namespaces");
    const { dpsHost, hubs, mqttPort, wsPort, caFile } = emulator.ready;
    await using world = await openPrivateWorld(folder, [dpsHost, ...hubs], { 8883: mqttPort, 443: wsPort });
    const [command = "", ...args] = world.command([process.execPath, example("azure-sdk-transports.mjs")]);
    const options = { cwd: folder.path, env: { ...env, NODE_EXTRA_CA_CERTS: caFile } };
    const { code, out, err } = await runProcess(command, args, options);
    expect(err).toBe("");
    expect(out).toBe("sent to plant-7.azure-devices.net as press-07\n");
    expect(code).toBe(0);
    expect(emulator.hub().received.at(-1)?.json()).toEqual({ sentBy: "azure-sdk-mqtt-ws" });
  });

  test("own-transport.mjs registers over HTTPS by code of its own", async () => {
    await rm(folder.file("state"), { recursive: true }); // what the others have stored, or nobody would ask DPS
    const { code, out, err } = await runProcess(process.execPath, [example("own-transport.mjs")], {
      cwd: folder.path,
      env,
    });
    expect({ code, out, err }).toEqual({ code: 0, out: "sent to plant-7.azure-devices.net as press-07\n", err: "" });
    expect(emulator.events.of("dps.register").map(({ transport }) => transport)).toContain("https");
    expect(emulator.hub().received.at(-1)?.json()).toEqual({ registeredOver: "own-https" });
  });

  test("disk-usage.sh sends a message for each disk, and ends", async () => {
    await using script = start("sh", example("disk-usage.sh"), "--log-level", "warn");
    script.child.stdin.end();
    expect(await script.exited).toBe(0);
    const disks = emulator.hub().received.filter(({ properties }) => properties.kind === "disk");
    const lines = (await runProcess("df", ["-P", "-k"])).out.split("\n").filter((line) => line.startsWith("/"));
    expect(disks.map((message) => message.json())).toEqual(
      lines.map((line) => ({ mount: line.split(/\s+/)[5], usedPercent: expect.any(Number) })),
    );
  });

  test("provisioning.test.mjs passes", async () => {
    const args = ["--test", "--test-reporter=tap", example("provisioning.test.mjs")];
    const { code, out } = await runProcess(process.execPath, args, { cwd: folder.path, env });
    expect(out).toMatch(/^# pass 4$/m);
    expect(code).toBe(0);
  });

  test("the two terminals of their page", async () => {
    const page = await readFile(example("README.md"), "utf8");
    const [command = ""] = /^landfall emulator .*$/m.exec(page) ?? [];
    const [, ...args] = command.replace("enrollments.toml", example("enrollments.toml")).split(" ");
    const elsewhere = new URL(`file://${folder.path}/two-terminals/`);
    await runProcess("mkdir", ["-p", fileURLToPath(elsewhere)]);
    const options = { cwd: fileURLToPath(elsewhere), env };
    await using cloud = new RunningProcess("landfall", [...args, "--mqtt-port", "0", "--ws-port", "0"], options);
    const ready = (await cloud.json()) as { mqttPort: number; wsPort: number };
    await folder.write("two-terminals/landfall.toml", await configurationFor(ready));
    await using press = new RunningProcess(process.execPath, [example("press.mjs")], options);
    await press.shows(/connected to plant-7/);
  });
});
