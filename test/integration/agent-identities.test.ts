import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Agent } from "../../src/agent/agent.ts";
import { CertificateAuthority, deriveDeviceKey, type IssuedCertificate } from "../../src/emulator/index.ts";
import type { LandfallError } from "../../src/errors.ts";
import { AgentWorld, WorldClock } from "../support/agent-world.ts";
import { openssl } from "../support/openssl.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";

const scratch = new ScratchFolder();
let world: AgentWorld;
let factory: CertificateAuthority;

beforeAll(async () => {
  world = await AgentWorld.open(scratch);
  factory = await CertificateAuthority.create({ commonName: "Factory root" });
  world.emulator.dps.enroll({ group: "factory", attestation: { method: "x509", certificate: factory.certificatePem } });
});
afterAll(() => world[Symbol.asyncDispose]());

/** Writes certificate and key as a device has them on its disk. */
async function pemFiles(name: string, { chainPem, privateKeyPem }: IssuedCertificate) {
  return {
    method: "x509",
    identity_cert: await scratch.write(`${name}.pem`, chainPem),
    identity_pk: await scratch.write(`${name}.key`, privateKeyPem),
  };
}

/** Connects, sends and closes; returns how the hub saw the device. */
async function serveOnce(agent: Agent) {
  await using _ = agent;
  const { hub, deviceId } = await agent.start();
  await agent.send({ from: deviceId });
  expect(world.emulator.hub(hub).received.at(-1)).toMatchObject({ deviceId, qos: 1 });
  const seen = world.emulator.hub(hub).connections.find((connection) => connection.deviceId === deviceId);
  return { deviceId, transport: seen?.transport, credential: seen?.credential };
}

describe.each(["mqtt", "mqtt-ws"] as const)("over %s, a device comes in", (carrier) => {
  const id = (name: string): string => `${name}-${carrier}`;
  const cameIn = (name: string, credential: "sas" | "certificate") => ({
    deviceId: id(name),
    transport: carrier,
    credential,
  });

  test("with a certificate that is enrolled itself", async () => {
    const own = await CertificateAuthority.create({ commonName: "Anybody" });
    const issued = await own.issue({ commonName: id("leaf"), usage: "client" });
    const { certificatePem } = issued;
    world.emulator.dps.enroll({
      registrationId: id("leaf"),
      attestation: { method: "x509", certificate: certificatePem },
    });
    const agent = await world.agent(await pemFiles(id("leaf"), issued), { carrier });
    expect(await serveOnce(agent)).toEqual(cameIn("leaf", "certificate"));
  });

  test("with a certificate below an intermediate of the enrolled root", async () => {
    const line = await factory.issueAuthority({ commonName: `Line ${carrier}` });
    const issued = await line.issue({ commonName: id("chain"), usage: "client" });
    const agent = await world.agent(await pemFiles(id("chain"), issued), { carrier });
    expect(await serveOnce(agent)).toEqual(cameIn("chain", "certificate"));
  });

  test("but not without the intermediate", async () => {
    const line = await factory.issueAuthority({ commonName: `Line ${carrier}` });
    const issued = await line.issue({ commonName: id("gap"), usage: "client" });
    const agent = await world.agent(await pemFiles(id("gap"), { ...issued, chainPem: issued.certificatePem }), {
      carrier,
    });
    await expect(agent.start()).rejects.toMatchObject({
      code: "provisioning.unauthorized",
      service: { errorCode: 401002 },
    });
  });

  test("with a PKCS#12 file", async () => {
    const issued = await factory.issue({ commonName: id("packed"), usage: "client" });
    const { identity_cert, identity_pk } = await pemFiles(id("packed"), issued);
    const file = await scratch.write(`${id("packed")}.p12`, "");
    const pass = ["-passout", "pass:pocket-7"];
    await openssl("pkcs12", "-export", "-inkey", identity_pk, "-in", identity_cert, ...pass, "-out", file);
    const agent = await world.agent(
      { method: "x509", identity_pkcs12: file, identity_password: { value: "pocket-7" } },
      { carrier },
    );
    expect(await serveOnce(agent)).toEqual(cameIn("packed", "certificate"));
  });

  test("with a symmetric key of its own, under another device id", async () => {
    const agent = await world.device({ registrationId: id("sas"), deviceId: `${id("sas")}-renamed` } as object, {
      carrier,
    });
    expect(await serveOnce(agent)).toEqual({ ...cameIn("sas", "sas"), deviceId: `${id("sas")}-renamed` });
  });

  test("with the group's key, deriving its own on the device, or with the derived key", async () => {
    const group = world.emulator.dps.enroll({ group: `press ${carrier}`, attestation: { method: "symmetric_key" } });
    const derives = { method: "symmetric_key", registration_id: id("derives"), symmetric_key: group.primaryKey };
    const agent = await world.agent({ ...derives, derive: true }, { carrier });
    expect(await serveOnce(agent)).toEqual(cameIn("derives", "sas"));

    const symmetric_key = deriveDeviceKey(group.primaryKey, id("derived"));
    const derived = await world.agent(
      { method: "symmetric_key", registration_id: id("derived"), symmetric_key },
      { carrier },
    );
    expect(await serveOnce(derived)).toEqual(cameIn("derived", "sas"));

    const raw = await world.agent({ ...derives, registration_id: id("raw") }, { carrier });
    await expect(raw.start()).rejects.toMatchObject({ code: "provisioning.unauthorized" });
  });

  test("with a hub given by hand, by key and by certificate", async () => {
    const { primaryKey } = world.hub.addDevice({ deviceId: id("manual") });
    const manual = { source: "manual", iothub_hostname: world.hub.hostName };
    const registrations = world.emulator.events.of("dps.connected").length;
    const authentication = { method: "sas", device_id_pk: primaryKey };
    const byKey = await world.make({ ...manual, device_id: id("manual"), authentication }, { carrier });
    expect(await serveOnce(byKey)).toEqual(cameIn("manual", "sas"));

    const issued = await factory.issue({ commonName: id("badge"), usage: "client" });
    const { certificatePem: certificate } = issued;
    world.hub.addDevice({ deviceId: id("badge"), authentication: { method: "x509", certificate } });
    const badge = { authentication: await pemFiles(id("badge"), issued), device_id: id("badge") };
    const byCertificate = await world.make({ ...manual, ...badge }, { carrier });
    expect(await serveOnce(byCertificate)).toEqual(cameIn("badge", "certificate"));
    expect(world.emulator.events.of("dps.connected")).toHaveLength(registrations);
  });
});

test("an RSA key serves as well as an EC key", async () => {
  const issued = await factory.issue({ commonName: "old-press", usage: "client", keyType: "rsa" });
  const agent = await world.agent(await pemFiles("old-press", issued));
  expect(await serveOnce(agent)).toEqual({ deviceId: "old-press", transport: "mqtt", credential: "certificate" });
});

test("a certificate that begins later than this machine's time is waited for, at DPS and at the hub", async () => {
  const dayMs = 86_400_000;
  const notBefore = new Date(Date.now() - dayMs / 2);
  const identity = await pemFiles("early", await factory.issue({ commonName: "early", usage: "client", notBefore }));
  /** Starts an agent whose clock is a day behind. */
  const startEarly = async () => {
    const clock = new WorldClock(Date.now() - dayMs);
    const agent = await world.agent(identity, { clock, random: () => 0.5 });
    return { clock, agent, started: agent.start() };
  };
  const reasons = () => world.records.map(({ message, fields }) => [message, (fields.error as LandfallError)?.code]);

  const first = await startEarly();
  expect(world.records.some(({ level, message }) => level === "warn" && message.includes("not valid yet"))).toBe(true);
  await vi.waitUntil(() => reasons().some(([, code]) => code === "certificate.not-valid-yet"));
  first.clock.step(dayMs); // as a time server does
  await first.clock.advance(1000);
  expect(await first.started).toMatchObject({ deviceId: "early" });
  await first.agent.close();

  const second = await startEarly();
  await vi.waitUntil(() => world.told("waiting").length > 0);
  expect(world.told("waiting")[0]).toMatchObject({ error: { code: "certificate.not-valid-yet" } });
  second.clock.step(dayMs);
  await second.clock.advance(1000);
  expect(await second.started).toMatchObject({ deviceId: "early" });
  expect(world.told("assigned").at(-1)).toMatchObject({ origin: "stored" });
  await second.agent.close();
});

test("the payload goes out and comes back, the model is announced to both services", async () => {
  const model_id = "dtmi:com:example:Press;1";
  const { primaryKey } = world.emulator.dps.enroll({
    registrationId: "modelled",
    attestation: { method: "symmetric_key" },
    payload: ({ payload }) => ({ echo: payload ?? null }),
  });
  const identity = { method: "symmetric_key", registration_id: "modelled", symmetric_key: primaryKey };
  const provisioning = { payload: { site: "plant 7" } };
  const agent = await world.agent(identity, { provisioning, configuration: { hub: { model_id } } });
  const { payload } = await agent.start();
  expect(payload).toEqual({ echo: { modelId: model_id, site: "plant 7" } });
  expect(world.emulator.events.of("hub.connected").at(-1)).toMatchObject({ deviceId: "modelled", modelId: model_id });
  await agent.close();

  // It is stored with the assignment.
  const again = await world.agent(identity, { provisioning });
  expect(await again.start()).toMatchObject({ payload });
  expect(world.told("assigned").at(-1)).toMatchObject({ origin: "stored" });
});
