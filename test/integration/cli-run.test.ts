import { afterAll, describe, expect, test } from "vitest";
import { Emulator } from "../../src/emulator/index.ts";
import { connectedByHand, symmetricKeyDevice, writeConfiguration } from "../support/emulated-device.ts";
import { undocumented } from "../support/event-page.ts";
import { landfall, type RunningProcess, startLandfall } from "../support/landfall-process.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";

const folder = new ScratchFolder();
const emulator = await Emulator.start({ assigningPolls: 0 });
const hub = emulator.hub();
afterAll(() => emulator.close());

let devices = 0;

interface Started {
  readonly agent: RunningProcess;
  readonly deviceId: string;
  readonly file: string;
}

/** Starts the agent of a new device, which goes through DPS. */
async function startEnrolled(tables: Parameters<typeof symmetricKeyDevice>[3] = {}): Promise<Started> {
  const deviceId = `enrolled-${++devices}`;
  const { file } = await symmetricKeyDevice(emulator, folder, deviceId, tables);
  return { agent: startLandfall(["run", "--json", "-c", file]), deviceId, file };
}

/** Starts the agent of a new device that knows its hub. */
async function startByHand(tables: object = {}, args: readonly string[] = ["--json"]): Promise<Started> {
  const deviceId = `by-hand-${++devices}`;
  const { file } = await connectedByHand(emulator, folder, deviceId, { ...tables });
  return { agent: startLandfall(["run", "-c", file, ...args]), deviceId, file };
}

describe("landfall run", () => {
  test("provisions, connects, serves, and tells everything as documented", async () => {
    const { agent: started, deviceId } = await startEnrolled({
      methods: { greet: { command: [process.execPath, "-p", "1 + 1"] } },
    });
    await using agent = started;
    expect(await agent.event("provisioning")).toMatchObject({ reason: "first-time", registrationId: deviceId });
    expect(await agent.event("endpoint")).toMatchObject({ service: "dps", reason: "connect-to" });
    expect(await agent.event("assigned")).toMatchObject({ hub: hub.hostName, deviceId, origin: "provisioned" });
    expect(await agent.event("connected")).toMatchObject({ hub: hub.hostName, deviceId });
    expect(await agent.event("telemetry-acknowledged")).toMatchObject({ kind: "system" });
    const system = hub.received.find((message) => message.deviceId === deviceId);
    expect(system?.json()).toMatchObject({ uptimeSeconds: expect.any(Number), memory: {}, loadAverage: {} });

    const { status, payload } = await hub.invokeMethod(deviceId, "greet");
    expect({ status, payload }).toMatchObject({ status: 200, payload: { exitCode: 0, stdout: 2 } });
    expect(await agent.event("method-answered")).toMatchObject({ name: "greet", status: 200 });

    const version = hub.updateDesired(deviceId, { landfall: { telemetryInterval: 1 } });
    expect(await agent.event("desired-changed", (line) => line.version === version)).toMatchObject({
      patch: { landfall: { telemetryInterval: 1 } },
    });
    await agent.event("telemetry-acknowledged");

    const texts = { "plain words": "plain words", '{"a":1}': { a: 1 }, "\u0000\u00ff": "\u0000\u00ff" };
    for (const [text, body] of Object.entries(texts)) {
      const { messageId, completed } = hub.sendToDevice(deviceId, { payload: text, properties: { n: "1" } });
      expect(await agent.event("message")).toMatchObject({ messageId, body, properties: { n: "1" } });
      await completed;
    }
    hub.sendToDevice(deviceId, { payload: Buffer.from([0xff, 0xfe]) });
    expect(await agent.event("message")).toMatchObject({ body: { base64: "//4=" } });

    hub.dropConnection(deviceId);
    await agent.event("disconnected");
    await agent.event("waiting");
    await agent.event("connected");

    agent.kill("SIGTERM");
    await agent.event("closed");
    expect(await agent.exited).toBe(0);
    expect(agent.lines.flatMap(undocumented)).toEqual([]);
    expect(agent.out.trimEnd().split("\n")).toHaveLength(agent.lines.length);
    const left = emulator.events.of("hub.disconnected", (event) => event.deviceId === deviceId).at(-1);
    expect(left?.reason).toBe("the client disconnected");
  });

  test("logs on standard error alone, one line each, without colours under NO_COLOR", async () => {
    const { agent: started } = await startByHand({}, ["--json", "--log-level", "trace"]);
    await using agent = started;
    await agent.event("telemetry-acknowledged");
    agent.kill("SIGTERM");
    await agent.exited;
    const log = agent.err.trimEnd().split("\n");
    expect(log.length).toBeGreaterThan(5);
    for (const line of log) expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z (trace|debug|info|warn|error) +\S/);
    expect(agent.err).toContain("stopping: interrupted by SIGTERM");
    expect(agent.err).toMatch(/trusting further CAs .*ca\.pem/);
    expect(agent.err).toMatch(/dialling 127\.0\.0\.1:\d+ instead of hub-a\.azure-devices\.net:8883/);
    expect(agent.out + agent.err).not.toContain("\u001b");
  });

  test("has colours where they are forced, on standard error alone", async () => {
    const { file } = await symmetricKeyDevice(emulator, folder, "colourful");
    const { out, err } = await landfall(["run", "--check-config", "-c", file], {
      env: { NO_COLOR: "", FORCE_COLOR: "1" },
    });
    expect(err).toContain("\u001b[");
    expect(out).not.toContain("\u001b[");
  });

  test("starts again from the stored assignment", async () => {
    const { agent: first, deviceId, file } = await startEnrolled();
    {
      await using agent = first;
      await agent.event("connected");
      agent.kill("SIGINT");
      expect(await agent.exited).toBe(0);
    }
    await using agent = startLandfall(["run", "--json", "-c", file]);
    expect(await agent.event("assigned")).toMatchObject({ origin: "stored", deviceId });
    await agent.event("connected");
    expect(emulator.events.of("dps.register", ({ registrationId }) => registrationId === deviceId)).toHaveLength(1);
  });

  test("SIGHUP asks DPS again, and so does the method reprovision", async () => {
    const { agent: started, deviceId } = await startEnrolled();
    await using agent = started;
    await agent.event("connected");
    agent.kill("SIGHUP");
    expect(await agent.event("provisioning")).toMatchObject({ reason: "requested" });
    expect(await agent.event("assigned")).toMatchObject({ origin: "provisioned" });
    expect(await hub.invokeMethod(deviceId, "reprovision")).toMatchObject({ status: 202 });
    expect(await agent.event("provisioning")).toMatchObject({ reason: "requested" });
    await agent.event("assigned");
    expect(emulator.events.of("dps.register", ({ registrationId }) => registrationId === deviceId)).toHaveLength(3);
  });

  test("a refusal that somebody has to mend ends it with 1 and a named error, in text and in JSON", async () => {
    const file = await writeConfiguration(folder, "stranger", {
      provisioning: {
        source: "dps",
        id_scope: emulator.ready.idScope,
        attestation: {
          method: "symmetric_key",
          registration_id: "stranger",
          symmetric_key: { env: "STRANGERS_KEY" },
        },
      },
      network: { trust_bundle: emulator.ready.caFile, connect_to: [...emulator.connectTo] },
    });
    const { code, out, err } = await landfall(["run", "--json", "-c", file], {
      env: { STRANGERS_KEY: Buffer.alloc(32, 7).toString("base64") },
    });
    expect(code).toBe(1);
    const lines = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.at(-1)).toMatchObject({
      schema: "landfall.error/1",
      error: { code: expect.stringMatching(/^provisioning\./) },
    });
    expect(lines.at(-2)).toMatchObject({ event: "closed", error: { code: lines.at(-1).error.code } });
    expect(err).toContain(`code: ${lines.at(-1).error.code}`);
    expect(err).toContain("what to do:");
  });

  test("without --json prints nothing, and leaves cloud-to-device messages with the hub", async () => {
    const { agent: started, deviceId: id } = await startByHand({}, []);
    await using agent = started;
    await agent.says(/connected to the hub/);
    agent.kill("SIGTERM");
    expect(await agent.exited).toBe(0);
    expect(agent.out).toBe("");
    const filters = emulator.events.of("hub.subscribed", ({ deviceId }) => deviceId === id);
    expect(filters.map(({ filter }) => filter).join()).not.toContain("devicebound");
  });
});

describe("the end of landfall run", () => {
  test("a signal while DPS is silent: it gives up and exits 0", async () => {
    const { agent: started } = await startEnrolled();
    await using agent = started;
    emulator.dps.silent(true);
    try {
      await agent.event("provisioning");
      agent.kill("SIGTERM");
      await agent.event("closed");
      expect(await agent.exited).toBe(0);
    } finally {
      emulator.dps.silent(false);
    }
  });

  test("a signal while DPS turns it away again and again: it gives up and exits 0", async () => {
    const { agent: started } = await startEnrolled();
    await using agent = started;
    emulator.dps.refuse("unavailable");
    try {
      await agent.says(/trying again/);
      agent.kill("SIGINT");
      await agent.event("closed");
      expect(await agent.exited).toBe(0);
    } finally {
      emulator.dps.refuse(undefined);
    }
  });

  test("a second signal ends it at once, whichever came first", async () => {
    const { agent: started, deviceId } = await startByHand({ telemetry: { interval: 0 } }, ["--json", "--stdin"]);
    await using agent = started;
    await agent.event("connected");
    hub.silent(true);
    try {
      agent.write("1\n");
      agent.kill("SIGTERM");
      await agent.says(/stopping/);
      agent.kill("SIGINT");
      expect(await agent.exited).toBe("SIGINT");
      expect(hub.received.filter((message) => message.deviceId === deviceId)).toEqual([]);
    } finally {
      hub.silent(false);
    }
  });

  test("a reader of standard output that goes away: it disconnects and exits 0", async () => {
    const { agent: started, deviceId } = await startByHand();
    await using agent = started;
    await agent.event("telemetry-acknowledged");
    agent.child.stdout.destroy();
    hub.updateDesired(deviceId, { anything: 1 }); // the next event finds the pipe closed
    expect(await agent.exited).toBe(0);
    expect(agent.err).toContain("stopping");
    expect(agent.err).not.toMatch(/EPIPE|\n\s+at /);
    const left = emulator.events.of("hub.disconnected", (event) => event.deviceId === deviceId).at(-1);
    expect(left?.reason).toBe("the client disconnected");
  });
});
