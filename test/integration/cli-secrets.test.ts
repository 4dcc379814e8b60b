import { createPrivateKey } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "smol-toml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CertificateAuthority, deriveDeviceKey, type EmulatorReady } from "../../src/emulator/index.ts";
import { writeConfiguration } from "../support/emulated-device.ts";
import { type ProcessOptions, type RunningProcess, startLandfall } from "../support/landfall-process.ts";
import { openssl } from "../support/openssl.ts";
import { startHttpProxy, startSocksProxy } from "../support/proxy-peer.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { secretsIn } from "../support/secret-search.ts";

const folder = new ScratchFolder();

/** Keys as DPS shows them: any bytes, in base64. */
const key = (fill: number): string =>
  Buffer.from(Array.from({ length: 32 }, (_, at) => (fill * 37 + at * 73) % 256)).toString("base64");

/** Everything that must not be seen, by name. */
const secrets = {
  individualKey: key(1),
  individualSecondaryKey: key(2),
  groupKey: key(3),
  derivedKey: deriveDeviceKey(key(3), "derived"),
  wrongKey: key(4),
  unparsableKey: "a-key!that+is/none",
  pkcs12Password: "p12 pässword/+=",
  wrongPkcs12Password: "not the p12 word",
  pemPassword: "pem%20&word",
  wrongPemPassword: "not the pem word",
  proxyPassword: "pr0xy:p@ss/word",
  proxyBasic: Buffer.from("gate:pr0xy:p@ss/word").toString("base64"),
  wrongProxyPassword: "n0t-the-pr0xy-word",
  wrongProxyBasic: Buffer.from("gate:n0t-the-pr0xy-word").toString("base64"),
};

/** All that any process here has said. */
const said: { readonly title: string; readonly process: RunningProcess }[] = [];
const privateKeys: Record<string, string> = {};
let emulator: RunningProcess;
let ready: EmulatorReady & { readonly connectTo: string[] };

/** Starts `landfall` as talkative as it can be; what it says is searched at the end. */
function start(title: string, args: readonly string[], { env, ...options }: ProcessOptions = {}): RunningProcess {
  const process = startLandfall([...args, "--log-level", "trace"], {
    ...options,
    env: { NODE_DEBUG: "landfall", DEBUG: "*", ...env },
  });
  said.push({ title, process });
  return process;
}

/** The part of a private key that is private, in base64. */
function privatePart(pem: string): string {
  const { d = "" } = createPrivateKey(pem).export({ format: "jwk" });
  return Buffer.from(d, "base64url").toString("base64");
}

beforeAll(async () => {
  const factory = await CertificateAuthority.create({ commonName: "factory" });
  await folder.write("factory.pem", factory.certificatePem);
  for (const name of ["packed", "encrypted"]) {
    const { certificatePem, privateKeyPem } = await factory.issue({ commonName: name, usage: "client" });
    privateKeys[name] = privatePart(privateKeyPem);
    await folder.write(`${name}.pem`, certificatePem);
    await folder.write(`${name}.plain.key`, privateKeyPem);
  }
  await folder.write("packed.p12", "");
  await openssl(
    ...["pkcs12", "-export", "-inkey", folder.file("packed.plain.key"), "-in", folder.file("packed.pem")],
    ...["-out", folder.file("packed.p12"), "-passout", `pass:${secrets.pkcs12Password}`],
  );
  const plain = createPrivateKey(await readFile(folder.file("encrypted.plain.key")));
  const cipher = { cipher: "aes-256-cbc", passphrase: secrets.pemPassword };
  await folder.write("encrypted.key", plain.export({ type: "pkcs8", format: "pem", ...cipher }));

  const keys = {
    method: "symmetric_key",
    primary_key: secrets.individualKey,
    secondary_key: secrets.individualSecondaryKey,
  };
  const individual = ["individual", "http-proxied", "socks5h-proxied", "crashing", "wrong-key", "wrong-proxy"].map(
    (registration_id) => ({
      registration_id,
      attestation: keys,
    }),
  );
  const group = [
    { name: "keys", attestation: { method: "symmetric_key", primary_key: secrets.groupKey } },
    { name: "factory", attestation: { method: "x509", certificate: "factory.pem" } },
  ];
  const enrollments = await folder.write("enrollments.toml", stringify({ individual, group }));
  emulator = start("emulator", ["emulator", "--mqtt-port", "0", "--ws-port", "0", "--enrollments", enrollments]);
  ready = (await emulator.json()) as unknown as typeof ready;
});

afterAll(() => emulator[Symbol.asyncDispose]());

interface Life {
  readonly attestation?: object;
  readonly provisioning?: object;
  readonly network?: object;
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts the agent of one life. */
async function live(
  name: string,
  { attestation, provisioning = {}, network = {}, env = {} }: Life,
  nodeArgs: string[] = [],
) {
  const overWebSocket = "proxy" in network || "https_proxy" in env ? { transport: "mqtt-ws" } : {};
  const file = await writeConfiguration(folder, name, {
    provisioning: {
      source: "dps",
      id_scope: ready.idScope,
      ...overWebSocket,
      ...(attestation === undefined ? {} : { attestation }),
      ...provisioning,
    },
    hub: overWebSocket,
    network: { trust_bundle: ready.caFile, connect_to: ready.connectTo, ...network },
  });
  return start(name, ["run", "--json", "-c", file], { env, nodeArgs });
}

const symmetric = (registration_id: string, symmetric_key: unknown, more = {}) => ({
  method: "symmetric_key",
  registration_id,
  symmetric_key,
  ...more,
});

describe.concurrent("whole lives", () => {
  test.each<[string, () => Life]>([
    ["individual", () => ({ attestation: symmetric("individual", { value: secrets.individualKey }) })],
    [
      "derived",
      () => ({
        attestation: symmetric("derived", { env: "GROUP" }, { derive: true }),
        env: { GROUP: secrets.groupKey },
      }),
    ],
    [
      "packed",
      () => ({
        attestation: { method: "x509", identity_pkcs12: "packed.p12", identity_password: { env: "P12" } },
        env: { P12: secrets.pkcs12Password },
      }),
    ],
    [
      "encrypted",
      () => ({
        attestation: {
          method: "x509",
          identity_cert: "encrypted.pem",
          identity_pk: "encrypted.key",
          identity_pk_password: secrets.pemPassword,
        },
      }),
    ],
  ])("%s", async (name, life) => {
    await using agent = await live(name, life());
    await agent.event("telemetry-acknowledged");
    agent.kill("SIGTERM");
    expect(await agent.exited).toBe(0);
  });

  test.each([
    ["http", startHttpProxy],
    ["socks5h", startSocksProxy],
  ])("through a proxy with a password, %s", async (scheme, startProxy) => {
    await using proxy = await startProxy({ user: "gate", password: secrets.proxyPassword });
    const address = `${scheme}://gate:${encodeURIComponent(secrets.proxyPassword)}@127.0.0.1:${proxy.port}`;
    const network = scheme === "http" ? { proxy: address } : {};
    await using agent = await live(`${scheme}-proxied`, {
      attestation: symmetric(`${scheme}-proxied`, { value: secrets.individualKey }),
      network,
      env: scheme === "http" ? {} : { https_proxy: address },
    });
    await agent.event("telemetry-acknowledged");
    expect(proxy.asked.length).toBeGreaterThan(0);
    agent.kill("SIGTERM");
    expect(await agent.exited).toBe(0);
  });
});

describe("a life without DPS", () => {
  test("with a connection string", async () => {
    // The device is at its hub by now, because it has registered above.
    const value = `HostName=${ready.hubs[0]};DeviceId=individual;SharedAccessKey=${secrets.individualKey}`;
    const file = await writeConfiguration(folder, "by-hand", {
      provisioning: { source: "manual", connection_string: value },
      network: { trust_bundle: ready.caFile, connect_to: ready.connectTo },
    });
    await using agent = start("by-hand", ["run", "--json", "-c", file]);
    await agent.event("telemetry-acknowledged");
    agent.kill("SIGTERM");
    expect(await agent.exited).toBe(0);
  });
});

describe.concurrent("lives that fail", () => {
  test("with a wrong key", async () => {
    await using agent = await live("wrong-key", { attestation: symmetric("wrong-key", { value: secrets.wrongKey }) });
    expect(await agent.exited).toBe(1);
    expect(agent.lines.at(-1)).toMatchObject({ error: { code: expect.stringMatching(/unauthorized/) } });
  });

  test("with a wrong proxy password", async () => {
    await using proxy = await startHttpProxy({ user: "gate", password: secrets.proxyPassword });
    await using agent = await live("wrong-proxy", {
      attestation: symmetric("wrong-proxy", { value: secrets.individualKey }),
      network: { proxy: `http://gate:${secrets.wrongProxyPassword}@127.0.0.1:${proxy.port}` },
    });
    await agent.says(/407/);
    agent.kill("SIGTERM");
    expect(await agent.exited).toBe(0);
  });

  test.each<[string, () => Life]>([
    ["an unparsable key", () => ({ attestation: symmetric("individual", { value: secrets.unparsableKey }) })],
    [
      "settings that are wrong around secrets",
      () => ({
        attestation: symmetric(
          "two words",
          { value: secrets.individualKey, uri: secrets.groupKey },
          { derived: secrets.derivedKey },
        ),
        provisioning: { connection_string: secrets.individualSecondaryKey, payload: "x" },
        network: { proxy: `ftp://gate:${secrets.proxyPassword}@h` },
      }),
    ],
    [
      "a wrong PKCS#12 password",
      () => ({
        attestation: { method: "x509", identity_pkcs12: "packed.p12", identity_password: secrets.wrongPkcs12Password },
      }),
    ],
    [
      "a wrong PEM password",
      () => ({
        attestation: {
          method: "x509",
          identity_cert: "encrypted.pem",
          identity_pk: "encrypted.key",
          identity_pk_password: { value: secrets.wrongPemPassword },
        },
      }),
    ],
  ])("with %s", async (name, life) => {
    await using agent = await live(name, life());
    expect(await agent.exited).toBe(2);
  });

  test("with a file that is no TOML", async () => {
    const file = await folder.write("broken.toml", `symmetric_key = "${secrets.individualKey}\n[x`);
    await using agent = start("broken", ["run", "--json", "-c", file]);
    expect(await agent.exited).toBe(2);
  });

  test("by a crash", async () => {
    const fault = await folder.write("fault.mjs", 'process.on("SIGUSR2", () => { throw new Error("injected"); });');
    await using agent = await live(
      "crashing",
      { attestation: symmetric("crashing", { value: secrets.individualKey }) },
      ["--import", fault],
    );
    await agent.event("telemetry-acknowledged");
    agent.kill("SIGUSR2");
    expect(await agent.exited).toBe(1);
    expect(agent.err).toContain("injected");
  });
});

describe("the search", () => {
  test.each([
    ["as it is", (secret: string) => secret],
    ["in base64", (secret: string) => Buffer.from(secret).toString("base64")],
    ["in base64 for URLs", (secret: string) => Buffer.from(secret).toString("base64url")],
    ["in hex", (secret: string) => Buffer.from(secret).toString("hex")],
    ["in a URL", (secret: string) => encodeURIComponent(secret)],
    ["in a user name's place", (secret: string) => encodeURI(secret)],
    ["in JSON", (secret: string) => JSON.stringify(secret)],
  ])("finds every secret %s", (_, write) => {
    for (const [name, secret] of Object.entries(secrets)) {
      expect(secretsIn(`before ${write(secret)} after`, { [name]: secret })).not.toEqual([]);
    }
  });

  test("finds the bytes that a key stands for", () => {
    const bytes = Buffer.from(secrets.groupKey, "base64");
    expect(secretsIn(bytes.toString("hex"), secrets)).toHaveLength(1);
    expect(secretsIn(bytes.toString("base64url"), secrets)).toHaveLength(1);
  });
});

describe("nothing that any of them said or stored", () => {
  test("holds a secret in any form, or a signature", async () => {
    emulator.kill("SIGTERM");
    await emulator.exited;
    const everything = new Map(said.map(({ title, process }) => [title, process.out + process.err]));
    for (const directory of (await readdir(folder.path)).filter((name) => name.endsWith("-state"))) {
      for (const name of await readdir(folder.file(directory))) {
        everything.set(`${directory}/${name}`, await readFile(join(folder.file(directory), name), "utf8"));
      }
    }
    expect(everything.size).toBeGreaterThan(15);
    // So that the search itself is seen to look at something.
    expect(everything.get("individual")).toMatch(/LANDFALL \d+: .*"cmd":"connect"/);
    expect(everything.get("individual-state/assignment.json")).toContain("azure-devices.net");

    const hidden: Record<string, string> = { ...secrets, ...privateKeys };
    for (const [title, text] of everything) {
      expect([title, secretsIn(text, hidden)]).toEqual([title, []]);
      expect([title, /sig(=|%3D)|SharedAccessSignature|BEGIN [A-Z ]*PRIVATE KEY/i.exec(text)?.[0]]).toEqual([
        title,
        undefined,
      ]);
    }
  });
});
