import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LoadedSettings, settingsFrom } from "../../../src/config/settings-from.ts";
import { LandfallError } from "../../../src/errors.ts";
import { Secret } from "../../../src/secret.ts";
import { manual, sampleKey, surroundings, withCertificate, withSymmetricKey } from "./samples.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "landfall-settings-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileWith(name: string, content: string | Uint8Array, mode = 0o600): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  await chmod(path, mode);
  return path;
}

/** Takes anything, because many tests pass what the types forbid. */
function load(configuration: object, env: Record<string, string> = {}): Promise<LoadedSettings> {
  const origin = { ...surroundings, baseDirectory: folder, env: { HOME: "/home/agent", ...env } };
  return settingsFrom(configuration as never, origin);
}

async function faultsOf(configuration: object, env: Record<string, string> = {}): Promise<readonly string[]> {
  const error = await load(configuration, env).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof LandfallError)) throw new Error(`expected a LandfallError; found ${inspect(error)}`);
  expect(error.code).toBe("config.invalid");
  return error.details;
}

const dps = withSymmetricKey.provisioning;
const withKey = (symmetric_key: unknown) => ({
  provisioning: { ...dps, attestation: { ...dps.attestation, symmetric_key } },
});

async function keyFrom(symmetric_key: unknown, env: Record<string, string> = {}): Promise<string | undefined> {
  const { settings } = await load(withKey(symmetric_key), env);
  if (settings.provisioning.source !== "dps") return undefined;
  const { attestation } = settings.provisioning;
  if (attestation.method !== "symmetric_key") return undefined;
  const { symmetricKey } = attestation;
  return symmetricKey instanceof Secret ? symmetricKey.reveal() : symmetricKey;
}

describe("settings", () => {
  test("have every default", async () => {
    const { settings, warnings } = await load(withSymmetricKey);
    expect(warnings).toEqual([]);
    expect(settings).toEqual({
      provisioning: {
        source: "dps",
        idScope: "0ne00000000",
        endpoint: {
          endpoint: "auto",
          idScope: "0ne00000000",
          network: "any",
          dataResidency: "any",
          privateCidrs: [],
          allowGlobalFallback: false,
        },
        transport: "mqtt",
        attestation: {
          method: "symmetric_key",
          registrationId: "my-device",
          symmetricKey: expect.any(Secret),
          derive: false,
        },
        alwaysReprovisionOnStartup: false,
        timeoutMs: 300_000,
      },
      hub: { transport: "mqtt", keepAliveSeconds: 240, tokenLifetimeMs: 3_600_000, telemetryWindow: 32 },
      network: { connectTo: [], hostsFile: "/etc/hosts", noProxy: [] },
      telemetry: { intervalMs: 60_000 },
      methods: {},
      doctor: {},
      state: { directory: "/home/agent/.local/state/landfall" },
      log: { level: "info" },
    });
  });

  test("take every value that is given", async () => {
    const bundle = await fileWith("ca.pem", "-----BEGIN CERTIFICATE-----\n…", 0o644);
    const { settings } = await load({
      provisioning: {
        ...dps,
        global_endpoint: "https://my-dps.example/",
        cloud: "usgov",
        private_cidrs: ["203.0.112.0/24"],
        transport: "mqtt-ws",
        payload: { site: "plant 7", nested: { list: [1, null] } },
        always_reprovision_on_startup: true,
        timeout: "1m",
        attestation: { ...dps.attestation, derive: true },
      },
      hub: {
        transport: "mqtt-ws",
        model_id: "dtmi:com:example:Thermostat;1",
        keep_alive: 60,
        token_lifetime: "30m",
        telemetry_window: 5,
      },
      network: {
        trust_bundle: "ca.pem",
        connect_to: ["a.net:8883:localhost:1"],
        name_servers: ["10.0.0.4", "[::1]:5353"],
        hosts_file: "hosts",
        proxy: "http://u:p@proxy:3128",
        no_proxy: [".b.net"],
      },
      telemetry: { interval: 0 },
      methods: { list: { command: ["ls", "-l"], timeout: 5, max_output: 10 } },
      doctor: {
        event_hubs: "ns.servicebus.windows.net",
        device_update: "a.api.adu.microsoft.com",
        digital_twins: "t.net",
      },
      state: { directory: "state" },
      log: { level: "silent" },
    });
    expect(settings).toMatchObject({
      provisioning: {
        endpoint: { endpoint: "my-dps.example", cloud: "usgov", privateCidrs: ["203.0.112.0/24"] },
        transport: "mqtt-ws",
        payload: { site: "plant 7", nested: { list: [1, null] } },
        alwaysReprovisionOnStartup: true,
        timeoutMs: 60_000,
        attestation: { derive: true },
      },
      hub: {
        transport: "mqtt-ws",
        modelId: "dtmi:com:example:Thermostat;1",
        keepAliveSeconds: 60,
        tokenLifetimeMs: 1_800_000,
        telemetryWindow: 5,
      },
      network: {
        trustBundle: bundle,
        connectTo: [
          { fromHost: "a.net", fromPort: 8883, toHost: "localhost", toPort: 1, text: "a.net:8883:localhost:1" },
        ],
        nameServers: [
          { address: "10.0.0.4", port: 53 },
          { address: "::1", port: 5353 },
        ],
        proxyFrom: "configuration",
        noProxy: [".b.net"],
      },
      telemetry: { intervalMs: 0 },
      methods: { list: { command: ["ls", "-l"], timeoutMs: 5000, maxOutputBytes: 10 } },
      doctor: {
        eventHubs: "ns.servicebus.windows.net",
        deviceUpdate: "a.api.adu.microsoft.com",
        digitalTwins: "t.net",
      },
      state: { directory: join(folder, "state") },
      log: { level: "silent" },
    });
    expect(settings.network.proxy?.reveal()).toBe("http://u:p@proxy:3128");
  });

  test("are frozen all the way down", async () => {
    const { settings } = await load({ ...withSymmetricKey, methods: { list: { command: ["ls"] } } });
    const thawed: string[] = [];
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== "object" || value === null || value instanceof Secret) return;
      if (!Object.isFrozen(value)) thawed.push(path);
      for (const [key, member] of Object.entries(value)) visit(member, `${path}.${key}`);
    };
    visit(settings, "settings");
    expect(thawed).toEqual([]);
  });

  test("show no secret when they are printed", async () => {
    const { settings } = await load({ ...withSymmetricKey, network: { proxy: "http://user:hunter2@proxy" } });
    expect(inspect(settings, { depth: 20, showHidden: true }) + JSON.stringify(settings)).not.toMatch(
      /hunter2|8isrFI1s/,
    );
  });

  test("of a method named like a member of every object are its own", async () => {
    const methods = JSON.parse('{"__proto__": {"command": ["a"]}, "constructor": {"command": ["b"]}}');
    const { settings } = await load({ ...withSymmetricKey, methods });
    expect(Object.keys(settings.methods)).toEqual(["__proto__", "constructor"]);
  });
});

describe("a symmetric key", () => {
  test.each<[string, unknown]>([
    ["inline", sampleKey],
    ["as value", { value: sampleKey }],
    ["in a Secret", new Secret(sampleKey)],
    ["without padding", sampleKey.replace(/=+$/, "")],
    ["in a named variable", "env:DEVICE_KEY"],
    ["in a variable", { env: "DEVICE_KEY" }],
  ])("%s", async (_, input) => {
    expect(await keyFrom(input, { DEVICE_KEY: sampleKey })).toBe(sampleKey);
  });

  test("in a file, as base64 or as bytes", async () => {
    const text = await fileWith("text.key", `${sampleKey}\n`);
    const bytes = await fileWith("bytes.key", Buffer.from(sampleKey, "base64"));
    expect(await keyFrom({ uri: `file://${text}` })).toBe(sampleKey);
    expect(await keyFrom(`file://${text}`)).toBe(sampleKey);
    expect(await keyFrom({ uri: `file://${bytes}` })).toBe(sampleKey);
  });

  test("that is too short is a fault, wherever it stands", async () => {
    const file = await fileWith("short.key", "AAAA");
    const found = "expected the base64 text of a key of 16 to 64 bytes; found base64 text of 3 bytes";
    expect(await faultsOf(withKey("AAAA"))).toEqual([expect.stringContaining(found)]);
    expect(await faultsOf(withKey("env:KEY"), { KEY: "AAAA" })).toEqual([expect.stringContaining(found)]);
    expect(await faultsOf(withKey(`file://${file}`))).toEqual([expect.stringContaining(`${found} (in ${file})`)]);
  });

  test("in a variable that is missing or empty is a fault that names the variable", async () => {
    expect(await faultsOf(withKey({ env: "DEVICE_KEY" }))).toEqual([
      "provisioning.attestation.symmetric_key.env: expected a value in the environment variable DEVICE_KEY; found that it is not set (config.secret-unreadable)",
    ]);
    expect(await faultsOf(withKey("env:DEVICE_KEY"), { DEVICE_KEY: "" })).toEqual([
      expect.stringContaining("found that it is empty"),
    ]);
  });
});

describe("an X.509 identity", () => {
  const x509 = withCertificate.provisioning.attestation;
  const attest = (attestation: object) => ({
    provisioning: { ...dps, attestation: { method: "x509", ...attestation } },
  });

  test("in PEM files has absolute paths and no registration id of its own", async () => {
    const key = await fileWith("device.key.pem", "a key");
    await fileWith("device.pem", "a certificate", 0o644);
    const { settings } = await load(
      attest({ ...x509, identity_pk: `file://${key}`, identity_pk_password: { env: "PASSWORD" } }),
      { PASSWORD: "correct horse" },
    );
    expect(settings.provisioning).toMatchObject({
      attestation: {
        method: "x509",
        source: { kind: "pem", certificate: join(folder, "device.pem"), privateKey: key },
      },
    });
    const { attestation } = settings.provisioning as Extract<typeof settings.provisioning, { source: "dps" }>;
    expect(attestation.registrationId).toBeUndefined();
    expect(attestation.method === "x509" && attestation.source.password?.reveal()).toBe("correct horse");
  });

  test("in a PKCS#12 file has its password from a file, without the line end", async () => {
    const file = await fileWith("device.p12", "PKCS#12");
    const password = await fileWith("password", "correct horse \n");
    const { settings } = await load(
      attest({ registration_id: "my-device", identity_pkcs12: "device.p12", identity_password: `file://${password}` }),
    );
    expect(settings.provisioning).toMatchObject({
      attestation: { registrationId: "my-device", source: { kind: "pkcs12", file } },
    });
    const { attestation } = settings.provisioning as Extract<typeof settings.provisioning, { source: "dps" }>;
    expect(attestation.method === "x509" && attestation.source.password?.reveal()).toBe("correct horse ");
  });

  test("with files that are missing, are folders or hold PEM text is told all at once", async () => {
    await mkdir(join(folder, "folder"), { recursive: true });
    expect(await faultsOf(attest({ identity_cert: "none.pem", identity_pk: "folder" }))).toEqual([
      `provisioning.attestation.identity_cert: expected a file that can be read; found no file ${folder}/none.pem (config.secret-unreadable)`,
      expect.stringContaining(
        `identity_pk: expected a file that can be read; found ${folder}/folder, which is not a file`,
      ),
    ]);
    expect(await faultsOf(attest({ identity_pkcs12: "-----BEGIN PRIVATE KEY-----\nhunter2" }))).toEqual([
      expect.stringMatching(/identity_pkcs12: .*; found PEM text; put it into a file of its own$/),
    ]);
  });
});

describe("the choice of an endpoint", () => {
  const endpointFaults = async (more: object): Promise<readonly string[]> => {
    const rejected = await load({ provisioning: { ...dps, ...more } }).then(
      () => undefined,
      (error: { details: string[] }) => error.details,
    );
    return rejected ?? [];
  };

  test.each([
    [{ endpoint: "global", network: "private" }, "provisioning.endpoint", "exclude each other"],
    [{ endpoint: "10.0.0.5" }, "provisioning.endpoint", "a host name"],
    [{ endpoint: "my-dps.privatelink.azure-devices-provisioning.net" }, "provisioning.endpoint", "the public name"],
    [{ private_cidrs: ["8.0.0.0/6"] }, "provisioning.private_cidrs", "too much of the internet"],
    [{ data_residency: "strict", allow_global_fallback: true }, "provisioning.allow_global_fallback", "has no effect"],
  ])("refuses %j", async (more, path, says) => {
    const [fault = ""] = await endpointFaults(more);
    expect(fault).toContain(path);
    expect(fault).toContain(says);
  });

  test("is judged beside other faults, and never in their place", async () => {
    const faults = await endpointFaults({ id_scope: 5, private_cidrs: 7, endpoint: "10.0.0.5" });
    expect(faults.map((fault) => fault.split(":")[0])).toEqual(
      expect.arrayContaining(["provisioning.id_scope", "provisioning.private_cidrs", "provisioning.endpoint"]),
    );
  });

  test("is left to `endpoint` when aziot's name for it is a global endpoint, which is that file's default", async () => {
    const global_endpoint = "https://global.azure-devices-provisioning.net";
    const { settings } = await load({ provisioning: { ...dps, global_endpoint, dps_name: "my-dps" } });
    expect(settings.provisioning).toMatchObject({ endpoint: { endpoint: "auto", dpsName: "my-dps" } });
  });
});

describe("a hub given by hand", () => {
  test("has the device id as its registration id", async () => {
    const { settings } = await load(manual);
    expect(settings.provisioning).toEqual({
      source: "manual",
      iothubHostname: "my-hub.azure-devices.net",
      deviceId: "my-device",
      endpoint: expect.objectContaining({ endpoint: "auto", network: "any", privateCidrs: [] }),
      authentication: {
        method: "symmetric_key",
        registrationId: "my-device",
        symmetricKey: expect.any(Secret),
        derive: false,
      },
    });
  });

  test("may come as a connection string", async () => {
    const connectionString = `HostName=My-Hub.azure-devices.net;DeviceId=my-device;SharedAccessKey=${sampleKey}`;
    const file = await fileWith("connection-string", `${connectionString}\n`);
    const byHand = (await load(manual)).settings.provisioning;
    for (const connection_string of [connectionString, { uri: `file://${file}` }]) {
      const { settings } = await load({ provisioning: { source: "manual", connection_string } });
      expect(settings.provisioning).toEqual(byHand);
      expect(settings.provisioning.source === "manual" && settings.provisioning.authentication).toSatisfy(
        (authentication: { symmetricKey: Secret }) => authentication.symmetricKey.reveal() === sampleKey,
      );
    }
  });

  test("may have a certificate", async () => {
    await fileWith("device.key.pem", "a key");
    await fileWith("device.pem", "a certificate", 0o644);
    const authentication = { method: "x509", identity_cert: "device.pem", identity_pk: "device.key.pem" };
    const { settings } = await load({ provisioning: { ...manual.provisioning, authentication } });
    expect(settings.provisioning).toMatchObject({ authentication: { method: "x509", registrationId: "my-device" } });
  });
});

describe("a payload in a file", () => {
  const withPayload = (payload: object) => ({ provisioning: { ...dps, payload } });

  test("is read", async () => {
    const file = await fileWith("payload.json", '{"site": "plant 7"}', 0o644);
    const { settings } = await load(withPayload({ uri: `file://${file}` }));
    expect(settings.provisioning).toMatchObject({ payload: { site: "plant 7" } });
  });

  test("that is no JSON object is a fault that does not quote it", async () => {
    for (const content of ["hunter2", '["hunter2"]', '{"hunter2": ']) {
      const file = await fileWith("payload.json", content);
      const [line = "", ...more] = await faultsOf(withPayload({ uri: `file://${file}` }));
      expect(line).toMatch(/^provisioning\.payload: expected a .*JSON object; found /);
      expect(line).not.toContain("hunter2");
      expect(more).toEqual([]);
    }
  });

  test("or inline may not be nested without end", async () => {
    const endless: Record<string, unknown> = {};
    endless.again = endless;
    expect(await faultsOf(withPayload(endless))).toEqual([
      expect.stringMatching(/^provisioning\.payload(\.again)+: expected at most 32 levels; found more$/),
    ]);
  });

  test("is only looked for when the table says nothing else", async () => {
    const payload = { uri: "https://example.com", more: 1 };
    expect((await load(withPayload(payload))).settings.provisioning).toMatchObject({ payload });
  });
});

describe("a trust bundle", () => {
  test("may have the name that IoT Edge gives it", async () => {
    const file = await fileWith("ca.pem", "-----BEGIN CERTIFICATE-----\n…", 0o644);
    const { settings } = await load({ ...withSymmetricKey, trust_bundle_cert: `file://${file}` });
    expect(settings.network.trustBundle).toBe(file);
  });

  test("without a certificate is a fault", async () => {
    await fileWith("empty.pem", "", 0o644);
    expect(await faultsOf({ ...withSymmetricKey, network: { trust_bundle: "empty.pem" } })).toEqual([
      `network.trust_bundle: expected a file with certificates in PEM form; found no certificate (in ${folder}/empty.pem)`,
    ]);
  });
});

describe("the mode of a file with a secret", () => {
  test("that everybody may read is a fault with the command to run", async () => {
    const key = await fileWith("open.key", sampleKey, 0o644);
    expect(await faultsOf(withKey(`file://${key}`))).toEqual([
      `provisioning.attestation.symmetric_key: expected a file that only its owner may read; found ${key} open to every user of this machine (mode 0644); run: chmod 600 ${key} (key.world-readable)`,
    ]);
  });

  test("that its group may read is a warning with the command to run", async () => {
    const key = await fileWith("group.key", sampleKey, 0o640);
    const { warnings } = await load(withKey(`file://${key}`));
    expect(warnings).toEqual([expect.stringContaining(`run: chmod 600 ${key}`)]);
  });

  test("is checked for private keys and PKCS#12, and not for certificates", async () => {
    await fileWith("device.pem", "a certificate", 0o644);
    for (const attestation of [
      { identity_cert: "device.pem", identity_pk: "open.pem" },
      { identity_pkcs12: "open.pem" },
    ]) {
      await fileWith("open.pem", "a key", 0o604);
      expect(await faultsOf({ provisioning: { ...dps, attestation: { method: "x509", ...attestation } } })).toEqual([
        expect.stringContaining("chmod 600"),
      ]);
    }
  });
});

describe("faults of files", () => {
  test("name a file that is too large to be a key", async () => {
    const file = await fileWith("disk.img", Buffer.alloc(1_048_577));
    expect(await faultsOf(withKey(`file://${file}`))).toEqual([
      expect.stringContaining(`found ${file} with 1048577 bytes, more than 1048576`),
    ]);
  });

  test("are told together with faults of settings", async () => {
    const faults = await faultsOf({ ...withKey("file:///none.key"), hub: { keep_alive: 1 }, frobnicate: 1 });
    expect(faults.map((line) => line.slice(0, line.indexOf(":")))).toEqual([
      "frobnicate",
      "hub.keep_alive",
      "provisioning.attestation.symmetric_key",
    ]);
  });
});

describe("proxies", () => {
  test("come from the environment when the configuration names none", async () => {
    const env = { https_proxy: "proxy.example:3128", no_proxy: "a.net,b.net" };
    const { network } = (await load(withSymmetricKey, env)).settings;
    expect([network.proxy?.reveal(), network.proxyFrom, network.noProxy]).toEqual([
      "http://proxy.example:3128",
      "https_proxy",
      ["a.net", "b.net"],
    ]);
  });

  test("of the configuration stand over the environment, each part by itself", async () => {
    const env = { https_proxy: "http://a", no_proxy: "a.net" };
    const overWebSocket = { ...withSymmetricKey, hub: { transport: "mqtt-ws" } };
    const one = (await load({ ...overWebSocket, network: { proxy: "socks5h://b" } }, env)).settings.network;
    expect([one.proxy?.reveal(), one.proxyFrom, one.noProxy]).toEqual(["socks5h://b", "configuration", ["a.net"]]);
    const other = (await load({ ...overWebSocket, network: { no_proxy: [] } }, env)).settings.network;
    expect([other.proxy?.reveal(), other.proxyFrom, other.noProxy]).toEqual(["http://a", "https_proxy", []]);
  });
});

describe("the state directory", () => {
  const directoryFor = async (origin: object): Promise<string> =>
    (await settingsFrom(withSymmetricKey, { ...surroundings, ...origin })).settings.state.directory;

  test("is the system's for root, else below the user's own", async () => {
    expect(await directoryFor({ isRoot: true })).toBe("/var/lib/landfall");
    expect(await directoryFor({ env: { HOME: "/home/agent", XDG_STATE_HOME: "/state" } })).toBe("/state/landfall");
    expect(await directoryFor({ env: { HOME: "/home/agent" } })).toBe("/home/agent/.local/state/landfall");
  });

  test("does not follow a relative XDG_STATE_HOME", async () => {
    expect(await directoryFor({ env: { HOME: "/home/agent", XDG_STATE_HOME: "state" } })).toBe(
      "/home/agent/.local/state/landfall",
    );
  });

  test("must be given where there is no home", async () => {
    const homeless = { ...surroundings, env: { HOME: "" } };
    await expect(settingsFrom(withSymmetricKey, homeless)).rejects.toMatchObject({
      details: [expect.stringMatching(/^state\.directory: expected a path; found nothing/)],
    });
    const state = { directory: "/state" };
    await expect(settingsFrom({ ...withSymmetricKey, state }, homeless)).resolves.toMatchObject({
      settings: { state },
    });
  });
});
