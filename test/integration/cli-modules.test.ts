import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { CertificateAuthority, Emulator } from "../../src/emulator/index.ts";
import { networkOf, writeConfiguration } from "../support/emulated-device.ts";
import { landfall, programFile, startLandfall } from "../support/landfall-process.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";

const folder = new ScratchFolder();
const emulator = await Emulator.start({ assigningPolls: 0 });
afterAll(() => emulator.close());

const recorder = fileURLToPath(new URL("../support/record-modules.mjs", import.meta.url));
const compiled = fileURLToPath(new URL("../", new URL(`file://${programFile}`)));

/** What MQTT.js brings along when it is loaded. */
const mqttAndItsOwn = [
  "@babel/runtime",
  "bl",
  "broker-factory",
  "debug",
  "fast-unique-numbers",
  "inherits",
  "lru-cache",
  "mqtt",
  "mqtt-packet",
  "ms",
  "process",
  "process-nextick-args",
  "readable-stream",
  "rfdc",
  "safe-buffer",
  "string_decoder",
  "worker-timers",
  "worker-timers-broker",
];

/** The codec of DNS messages, with which a device asks name servers about its endpoints. */
const dnsAndItsOwn = ["@leichtgewicht/ip-codec", "dns-packet"];

/** The packages, and the rooms of our own, that a process has loaded. */
function loaded(record: string): { readonly packages: string[]; readonly rooms: string[] } {
  const paths = readFileSync(record, "utf8")
    .split("\n")
    .map((line) => (line.startsWith("file:") ? fileURLToPath(line) : line));
  const found = (pattern: RegExp) => [...new Set(paths.flatMap((path) => pattern.exec(path)?.[1] ?? []))].sort();
  return {
    packages: found(/^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//),
    rooms: found(new RegExp(`^${compiled}([a-z]+)/`)),
  };
}

async function agentWithCertificate(name: string, more: object = {}): Promise<string> {
  const factory = await CertificateAuthority.create({ commonName: `factory of ${name}` });
  emulator.dps.enroll({ group: name, attestation: { method: "x509", certificate: factory.certificatePem } });
  const { chainPem, privateKeyPem } = await factory.issue({ commonName: name, usage: "client" });
  return writeConfiguration(folder, name, {
    provisioning: {
      source: "dps",
      id_scope: emulator.ready.idScope,
      attestation: {
        method: "x509",
        identity_cert: await folder.write(`${name}.pem`, chainPem),
        identity_pk: await folder.write(`${name}.key`, privateKeyPem),
      },
      ...more,
    },
    network: networkOf(emulator),
  });
}

async function recordRun(file: string, args: readonly string[] = []): Promise<ReturnType<typeof loaded>> {
  const record = folder.file("modules");
  await using agent = startLandfall(["run", "--json", "-c", file, ...args], {
    nodeArgs: ["--import", recorder],
    env: { LANDFALL_TEST_MODULES: record },
  });
  await agent.event("telemetry-acknowledged");
  agent.kill("SIGTERM");
  await agent.exited;
  return loaded(record);
}

describe("the modules that are loaded", () => {
  test("by an agent with MQTT and a PEM key: MQTT.js, the DNS codec, the TOML reader, and nothing heavy", async () => {
    const { packages, rooms } = await recordRun(await agentWithCertificate("light"));
    expect(packages).toEqual([...mqttAndItsOwn, ...dnsAndItsOwn, "smol-toml"].sort());
    expect(rooms).toEqual([
      "agent",
      "attestation",
      "cli",
      "config",
      "endpoint",
      "hub",
      "keys",
      "provisioning",
      "transport",
    ]);
  });

  test("by an agent over WebSocket: ws beside them", async () => {
    const file = await agentWithCertificate("websocket", { transport: "mqtt-ws" });
    const { packages } = await recordRun(file);
    expect(packages).toEqual([...mqttAndItsOwn, ...dnsAndItsOwn, "smol-toml", "ws"].sort());
  });

  test("by a check of the configuration: the TOML reader alone", async () => {
    const record = folder.file("check-modules");
    const file = await agentWithCertificate("checked");
    await landfall(["run", "--check-config", "-c", file], {
      nodeArgs: ["--import", recorder],
      env: { LANDFALL_TEST_MODULES: record },
    });
    expect(loaded(record).packages).toEqual(["smol-toml"]);
  });

  test.each([["--version"], ["--help"], ["run", "--help"]])("by landfall %s %s: none of others", async (...args) => {
    const record = folder.file("help-modules");
    await landfall(args, { nodeArgs: ["--import", recorder], env: { LANDFALL_TEST_MODULES: record } });
    expect(loaded(record).packages.filter((name) => name !== "smol-toml")).toEqual([]);
  });
});
