import tls from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Emulator, type EmulatorOptions, type Hub } from "../../src/emulator/index.ts";
import { AgentWorld, type WorldAgentOptions } from "../support/agent-world.ts";
import { type Answered, poll, register } from "../support/emulated-dps.ts";
import { ForeignDevice } from "../support/foreign-device.ts";
import { landfall, startLandfall } from "../support/landfall-process.ts";
import { type Mosquitto, operator, startMosquitto } from "../support/mosquitto.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { lacks } from "../support/system-peer.ts";

const names = ["global.azure-devices-provisioning.net", "hub-a.azure-devices.net", "hub-b.azure-devices.net"];
const folder = new ScratchFolder();
const bySymmetricKey = { registrationId: "dev", attestation: { method: "symmetric_key" } } as const;

/** A client of the broker that shows no credential. */
function stranger({ port, caPem }: Mosquitto): Promise<ForeignDevice> {
  const dial = () => tls.connect({ host: "127.0.0.1", port, servername: "localhost", ca: caPem });
  return ForeignDevice.connect(dial, { clientId: "" });
}

/** One registration to its end; resolves with the last answer. */
async function registerThrough(device: ForeignDevice, body: string): Promise<Answered> {
  await device.subscribe("$dps/registrations/res/#");
  let answer = await register(device, body);
  while (answer.status === 202) answer = await poll(device, String(answer.body.operationId));
  return answer;
}

describe.skipIf(lacks("mosquitto"))("the emulator behind an outside broker", () => {
  let broker: Mosquitto;
  let caFile: string;
  beforeAll(async () => {
    broker = await startMosquitto([...names, "localhost"]);
    caFile = await folder.write("broker-ca.pem", broker.caPem);
  });
  afterAll(() => broker?.[Symbol.asyncDispose]());

  /** Attaches an emulator as somebody whom the broker knows. */
  const attachment = (): Pick<EmulatorOptions, "broker"> => {
    const user = `${operator.name}:${encodeURIComponent(operator.password)}`;
    return { broker: { url: `mqtts://${user}@localhost:${broker.guardedPort}`, ca: broker.caPem } };
  };
  const attachedEmulator = (options: EmulatorOptions = {}): Promise<Emulator> =>
    Emulator.start({ ...attachment(), assigningPolls: 0, ...options });

  test("provisions a device and does all that a hub does", async () => {
    await using world = await AgentWorld.open(folder, attachment());
    expect(world.emulator.ready.broker).toBe(`mqtts://localhost:${broker.guardedPort}`);
    const network = { trust_bundle: caFile, connect_to: [`:8883:127.0.0.1:${broker.port}`] };
    const agent = await world.device({}, { configuration: { network } } as WorldAgentOptions);
    const messages = agent.messages();
    agent.onMethod("blink", ({ payload }) => ({ status: 200, payload: { did: payload } }));
    const assignment = await agent.start();
    expect(assignment).toMatchObject({ hub: "hub-a.azure-devices.net", deviceId: "device-1" });
    expect(world.emulator.events.of("dps.poll").map(({ status }) => status)).toEqual([202, 200]);

    await agent.send({ degrees: 21.5 }, { properties: { alarm: "no" } });
    const telemetry = await world.hub.telemetry().next();
    expect(telemetry.value).toMatchObject({ deviceId: "device-1", properties: { alarm: "no" } });
    expect(telemetry.value.json()).toEqual({ degrees: 21.5 });

    expect(await world.hub.invokeMethod("device-1", "blink", [3])).toEqual({ status: 200, payload: { did: [3] } });
    world.hub.sendToDevice("device-1", { payload: "open", properties: { gate: "3" } });
    const { value: message } = await messages.next();
    expect(message).toMatchObject({ properties: { gate: "3" } });

    await agent.report({ lamp: "on" });
    expect(world.hub.twin("device-1").reported).toMatchObject({ lamp: "on" });
  });

  test("moves the device to another hub when it registers again", async () => {
    await using emulator = await attachedEmulator({ hubs: ["hub-a", "hub-b"] });
    const enrollment = emulator.dps.enroll({ ...bySymmetricKey, hubs: ["hub-a"] });
    await using device = await stranger(broker);
    for (const hub of ["hub-a", "hub-b"]) {
      enrollment.update({ hubs: [hub] });
      const { status, body } = await registerThrough(device, "");
      expect({ status, hub: body.registrationState }).toMatchObject({ status: 200, hub: { deviceId: "dev" } });
      await device.publish("devices/dev/messages/events/", `to ${hub}`);
      const { value } = await emulator.hub(hub).telemetry().next();
      expect(value.text()).toBe(`to ${hub}`);
    }
    expect(emulator.hub("hub-a").connections).toEqual([]);
    expect(emulator.events.of("hub.disconnected")[0]).toMatchObject({
      hub: "hub-a",
      reason: expect.stringContaining("device-removed"),
    });
  });

  test("lets a device begin anew in the middle of a registration", async () => {
    await using emulator = await attachedEmulator();
    emulator.dps.enroll(bySymmetricKey);
    await using device = await stranger(broker);
    await device.subscribe("$dps/registrations/res/#");
    for (const rid of ["1", "2"]) expect(await register(device, "", rid)).toMatchObject({ status: 202 });
    expect(emulator.events.of("dps.disconnected")).toMatchObject([{ reason: "the device began anew" }]);
  });

  test("vouches for certificates as well, and for nobody who is not enrolled", async () => {
    await using emulator = await attachedEmulator();
    const { chainPem } = await emulator.authority.issue({ commonName: "dev", usage: "client" });
    emulator.dps.enroll({ registrationId: "dev", attestation: { method: "x509", certificate: chainPem } });
    await using device = await stranger(broker);
    expect(await registerThrough(device, "")).toMatchObject({ body: { status: "assigned" } });
    // It can be called before it has said a word to its hub.
    expect(emulator.hub().connections).toMatchObject([{ deviceId: "dev", credential: "certificate" }]);
    await device.publish("devices/dev/messages/events/", "1");
    expect((await emulator.hub().telemetry().next()).value.text()).toBe("1");
    const unknown = await registerThrough(device, JSON.stringify({ registrationId: "nobody" }));
    expect(unknown).toMatchObject({ status: 404, body: { errorCode: 404201 } });
  });

  test("serves a device that was added by hand, from its first message on", async () => {
    await using emulator = await attachedEmulator();
    const hub = emulator.hub();
    hub.addDevice({ deviceId: "dev" });
    await expect(hub.invokeMethod("dev", "blink")).rejects.toThrow("404103");
    await using device = await stranger(broker);
    await device.subscribe("$iothub/twin/res/#");
    expect((await device.ask("$iothub/twin/GET/?$rid=1")).topic).toBe("$iothub/twin/res/200/?$rid=1");
    expect(hub.connections).toMatchObject([{ deviceId: "dev", transport: "mqtt" }]);
    hub.disableDevice("dev");
    await device.publish("devices/dev/messages/events/", "lost");
    await emulator.events.next("hub.refused");
    hub.enableDevice("dev");
    await device.publish("devices/dev/messages/events/", "found");
    expect((await hub.telemetry().next()).value.text()).toBe("found");
  });

  test("names a broken rule and goes on, since it cannot close a connection of the broker's", async () => {
    await using emulator = await attachedEmulator();
    emulator.hub().addDevice({ deviceId: "dev" });
    await using device = await stranger(broker);
    await device.publish("devices/other/messages/events/", "1");
    await device.publish("$iothub/twin/GET/", "");
    await device.publish("devices/dev/messages/events/", "2");
    expect((await emulator.hub().telemetry().next()).value.text()).toBe("2");
    const broken = emulator.events.of("rule.broken").map(({ rule, service }) => `${service} ${rule}`);
    expect(broken).toEqual(["hub-a unknown-topic", "hub-a missing-request-id"]);
  });

  test.each<Parameters<Emulator["dps"]["faults"]["next"]>[2]>([
    "silence",
    "drop",
    { cutAfterBytes: 3 },
    { connack: 5 },
  ])("loses a request to a scripted fault, %j, and serves the next one", async (fault) => {
    await using emulator = await attachedEmulator();
    emulator.dps.enroll(bySymmetricKey);
    await using device = await stranger(broker);
    await device.subscribe("$dps/registrations/res/#");
    const isRefusal = typeof fault === "object" && "connack" in fault;
    emulator.dps.faults.next("dev", isRefusal ? "connect" : "register", fault);
    await device.publish("$dps/registrations/PUT/iotdps-register/?$rid=lost");
    const { topic } = await device.ask("$dps/registrations/PUT/iotdps-register/?$rid=found");
    expect(topic).toContain("/res/202/?$rid=found");
    expect(emulator.dps.faults.served).toMatchObject([{ id: "dev" }]);
  });

  test.each<Parameters<Hub["faults"]["next"]>[2]>(["silence", "drop", { connack: 3 }])(
    "loses a message to a hub that answers CONNECT with %j, and takes the next one",
    async (fault) => {
      await using emulator = await attachedEmulator();
      const hub = emulator.hub();
      hub.addDevice({ deviceId: "dev" });
      hub.faults.next("dev", "connect", fault);
      await using device = await stranger(broker);
      for (const text of ["lost", "found"]) await device.publish("devices/dev/messages/events/", text);
      expect((await hub.telemetry().next()).value.text()).toBe("found");
    },
  );

  test("lets go of acknowledgements that are held when it is closed", async () => {
    await using emulator = await attachedEmulator();
    emulator.hub().addDevice({ deviceId: "dev" });
    emulator.hub().faults.next("dev", "telemetry", "hold");
    await using device = await stranger(broker);
    await device.publish("devices/dev/messages/events/", "1");
    expect((await emulator.hub().telemetry().next()).value.text()).toBe("1");
  });

  test("cannot keep answers apart: who listens gets those of everybody", async () => {
    await using emulator = await attachedEmulator();
    emulator.dps.enroll(bySymmetricKey);
    await using device = await stranger(broker);
    await using other = await stranger(broker);
    await other.subscribe("$dps/registrations/res/#");
    const answer = await registerThrough(device, "");
    const heard = (await other.messages.nth(2)).payload;
    expect(JSON.parse(heard)).toEqual(answer.body);
  });

  test.each([
    ["a wrong password", () => ({ url: `mqtts://emulator:hunter2@localhost:${broker.guardedPort}`, ca: broker.caPem })],
    ["a certificate of somebody unknown", () => ({ url: `mqtts://localhost:${broker.port}` })],
    ["a name that the certificate lacks", () => ({ url: `mqtts://127.0.0.1:${broker.port}`, ca: broker.caPem })],
    ["TLS where none is expected", () => ({ url: `mqtt://localhost:${broker.port}` })],
    ["nobody there", () => ({ url: "mqtts://localhost:1" })],
  ])("is not started with %s", async (_, options) => {
    const starting = Emulator.start({ broker: options() });
    await expect(starting).rejects.toMatchObject({ code: "emulator.broker-failed", cause: expect.any(Error) });
    await expect(starting).rejects.toMatchObject({ message: expect.not.stringContaining("hunter2") });
  });

  test("is a command", async () => {
    const url = `mqtts://localhost:${broker.port}`;
    const args = ["emulator", "--enroll", "dev", "--mqtt-port", "0", "--ws-port", "0"];
    await using emulator = startLandfall([...args, "--broker", url, "--broker-ca", caFile]);
    expect(await emulator.json()).toMatchObject({ schema: "landfall.emulator/1", broker: url });
    await using device = await stranger(broker);
    expect(await registerThrough(device, "")).toMatchObject({ body: { status: "assigned" } });
    const missing = await landfall([...args, "--broker", url, "--broker-ca", folder.file("none.pem")]);
    expect(missing).toMatchObject({ code: 2, err: expect.stringContaining("none.pem cannot be read") });
    const alone = await landfall([...args, "--broker-ca", caFile]);
    expect(alone).toMatchObject({ code: 2, err: expect.stringContaining("expected --broker with it") });
    const refused = await landfall([...args, "--broker", "mqtt://broker.test"]);
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("mqtt: is for brokers of this machine") });
  });
});

describe("a broker that does not do", () => {
  const rejected = (url: string) => expect(Emulator.start({ broker: { url } })).rejects;

  test.each([
    ["tls://user:hunter2@localhost", /expected mqtts:/],
    ["mqtts://", /expected mqtts:/],
    ["mqtt://broker.test:1883", /mqtt: is for brokers of this machine/],
    ["mqtts://user:hunter2@localhost/topics", /nothing behind host and port/],
    ["mqtts://user:%E0%A4%A@localhost", /percent-encoded/],
  ])("is refused before anything is opened: %s", async (url, message) => {
    await rejected(url).toMatchObject({ code: "emulator.rejected", message: expect.stringMatching(message) });
    await rejected(url).toMatchObject({ message: expect.not.stringContaining("hunter2") });
  });
});
