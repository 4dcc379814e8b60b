import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CertificateAuthority, Emulator } from "../../src/emulator/index.ts";
import { networkOf, symmetricKeyDevice, writeConfiguration } from "../support/emulated-device.ts";
import { programFile, RunningProcess, runProcess } from "../support/landfall-process.ts";
import { openssl } from "../support/openssl.ts";
import { startSocksProxy } from "../support/proxy-peer.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";

const folder = new ScratchFolder();
const program = folder.file("landfall.cjs");
const emulator = await Emulator.start({ assigningPolls: 0 });
const hub = emulator.hub();
afterAll(() => emulator.close());

beforeAll(async () => {
  const make = fileURLToPath(new URL("../../.ci/bundle.mjs", import.meta.url));
  const { code, out, err } = await runProcess(process.execPath, [make, program]);
  if (code !== 0) throw new Error(`${out}${err}`);
});

/** Starts `landfall` from `file`, in a folder with nothing else of the project. */
const start = (file: string, args: readonly string[]): RunningProcess =>
  new RunningProcess(process.execPath, [file, ...args], { cwd: folder.path });

/** Runs the single file to its end, in the same folder. */
const run = (args: readonly string[], input = "") =>
  runProcess(process.execPath, [program, ...args], { cwd: folder.path, input });

/**
 * Lives through everything that MQTT carries, and a lost connection in the middle of it. Returns what the device has told,
 * in order: the names of its events, and whatever does not depend on time or place.
 */
async function liveThroughEverything(
  agent: RunningProcess,
  deviceId: string,
): Promise<readonly (readonly [unknown, unknown])[]> {
  await agent.event("connected");
  await agent.event("desired-changed");

  // Longer than what a stream holds at one time, in both directions.
  const long = { text: "ä".repeat(30_000) };
  agent.write(`${JSON.stringify(long)}\n`);
  await agent.event("telemetry-acknowledged");
  const { completed } = hub.sendToDevice(deviceId, { payload: JSON.stringify(long), properties: { n: "1" } });
  expect(await agent.event("message")).toMatchObject({ body: long, properties: { n: "1" } });
  await completed;

  expect(await hub.invokeMethod(deviceId, "greet")).toMatchObject({ status: 200, payload: { stdout: 2 } });
  await agent.event("method-answered");
  const version = hub.updateDesired(deviceId, { landfall: { telemetryInterval: 0 } });
  await agent.event("desired-changed", (line) => line.version === version);

  hub.dropConnection(deviceId);
  agent.write('{"after":"the cut"}\n');
  await agent.event("connected");
  await agent.event("telemetry-acknowledged");
  expect(await hub.invokeMethod(deviceId, "greet")).toMatchObject({ status: 200 });
  await agent.event("method-answered");
  agent.child.stdin.end();
  expect(await agent.exited).toBe(0);

  const received = hub.received.filter((message) => message.deviceId === deviceId).map((message) => message.json());
  expect(received).toEqual([long, { after: "the cut" }]);
  expect(hub.twin(deviceId).reported).toMatchObject({ landfall: {} });
  return agent.lines.map(({ event, status, body, patch, origin, attempt }) => [
    event,
    status ?? body ?? patch ?? origin ?? attempt,
  ]);
}

describe("the single file, in a folder where there is nothing else", () => {
  test.each(["mqtt", "mqtt-ws"])("serves over %s as the package does", async (transport) => {
    const lives = await Promise.all(
      [programFile, program].map(async (file, index) => {
        const deviceId = `${transport}-${index}`;
        const { file: configuration } = await symmetricKeyDevice(emulator, folder, deviceId, {
          provisioning: { transport },
          hub: { transport },
          telemetry: { interval: "0s" },
          methods: { greet: { command: [process.execPath, "-p", "1 + 1"] } },
        });
        await using agent = start(file, ["run", "-c", configuration, "--stdin", "--json"]);
        return await liveThroughEverything(agent, deviceId);
      }),
    );
    expect(lives[1]).toEqual(lives[0]);
  });

  test.each([
    ["as new tools write it", []],
    ["as old tools write it", ["-legacy"]],
  ])("opens a PKCS#12 file %s, and comes in with it", async (how, options) => {
    const name = how.replaceAll(" ", "-");
    const factory = await CertificateAuthority.create({ commonName: `Factory ${name}` });
    emulator.dps.enroll({ group: name, attestation: { method: "x509", certificate: factory.certificatePem } });
    const { certificatePem, privateKeyPem } = await factory.issue({ commonName: name, usage: "client" });
    const identity_pkcs12 = await folder.write(`${name}.p12`, "");
    await openssl(
      ...["pkcs12", "-export", "-inkey", await folder.write(`${name}.key`, privateKeyPem)],
      ...["-in", await folder.write(`${name}.pem`, certificatePem), "-out", identity_pkcs12],
      ...["-passout", "pass:pocket-7", ...options],
    );
    const configuration = await writeConfiguration(folder, name, {
      provisioning: {
        source: "dps",
        id_scope: emulator.ready.idScope,
        attestation: { method: "x509", identity_pkcs12, identity_password: { value: "pocket-7" } },
      },
      network: networkOf(emulator),
      telemetry: { interval: "0s" },
    });
    expect(await run(["run", "-c", configuration, "--stdin"], '{"packed":true}\n')).toMatchObject({ code: 0 });
    expect(hub.received.filter(({ deviceId }) => deviceId === name).map((message) => message.json())).toEqual([
      { packed: true },
    ]);
  });

  test.each([
    ["127.0.0.1", "127.0.0.1"],
    ["[2001:db8::7]", "[2001:0db8:0000:0000:0000:0000:0000:0007]"],
  ])("comes in through a SOCKS proxy, which it has connect to %s", async (dialed, asked) => {
    await using proxy = await startSocksProxy();
    const deviceId = `proxied-${asked.length}`;
    const { trust_bundle } = networkOf(emulator);
    const { file } = await symmetricKeyDevice(emulator, folder, deviceId, {
      provisioning: { transport: "mqtt-ws" },
      hub: { transport: "mqtt-ws" },
      network: {
        trust_bundle,
        connect_to: emulator.connectTo.map((rule) => rule.replace("127.0.0.1", dialed)),
        proxy: `socks5h://127.0.0.1:${proxy.port}`,
      },
      telemetry: { interval: "0s" },
    });
    expect(await run(["run", "-c", file, "--stdin"], '{"by":"proxy"}\n')).toMatchObject({ code: 0 });
    expect(hub.received.filter((message) => message.deviceId === deviceId)).toHaveLength(1);
    expect(new Set(proxy.asked.map((place) => place.replace(/:\d+$/, "")))).toEqual(new Set([asked]));
  });

  test("knows its version", async () => {
    expect((await run(["--version"])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each([{ args: ["emulator", "--mqtt-port", "0"] }, { args: ["demo", "--help"] }, { args: ["help", "demo"] }])(
    "says where a command is that it does not have: $args",
    async ({ args }) => {
      const { code, err } = await run(args);
      expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining("not in the single file") });
    },
  );
});
