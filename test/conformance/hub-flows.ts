import { expect } from "vitest";
import { CertificateAuthority, type Hub } from "../../src/emulator/index.ts";
import { sasToken } from "../support/foreign-device.ts";
import type { RunningProcess } from "../support/landfall-process.ts";
import { type Flow, NotSupported } from "./flow.ts";
import type { DriverInput, Scene } from "./scene.ts";

const deviceId = "sensor-17";

/** Adds the device to the hub and starts a driver as it. */
function start(scene: Scene, driver: string, input: DriverInput = {}, twin = {}): { device: RunningProcess; hub: Hub } {
  const hub = scene.emulator.hub();
  const { primaryKey } = hub.addDevice({ deviceId, twin });
  const connectionString = `HostName=${scene.hubHost()};DeviceId=${deviceId};SharedAccessKey=${primaryKey}`;
  return { device: scene.start(driver, { connectionString, ...input }), hub };
}

/** Resolves once the hub has seen the device subscribe to topics that begin with `filter`. */
async function subscribed({ emulator }: Scene, filter: string): Promise<void> {
  await emulator.events.next("hub.subscribed", { where: (event) => event.filter.startsWith(filter) });
}

/** Sees the SDK say that its transport is not made for this. */
async function requireNotImplemented(device: RunningProcess, what: string): Promise<void> {
  const { name, message } = await device.event("failed");
  expect(`${name}: ${message}`).toMatch(/NotImplemented|does not support/);
  throw new NotSupported(what);
}

/** The flows of the clients for a hub. */
export const hubFlows: readonly Flow[] = [
  {
    title: "telemetry with application and system properties",
    run: async (scene) => {
      const properties = { "a b": "c&d=e/é", empty: "", "#": "+" };
      const system = {
        messageId: "1/2 ä",
        correlationId: "c",
        contentType: "application/json",
        contentEncoding: "utf-8",
      };
      const messages = [{ body: '{"t":20.5}', properties, ...system }, { body: "plain" }];
      const { device, hub } = start(scene, "telemetry", { messages });
      await using _ = device;
      expect(await device.event("sent")).toMatchObject({ result: "MessageEnqueued" });
      await device.event("done");
      expect(hub.received.map((message) => message.text())).toEqual(['{"t":20.5}', "plain"]);
      expect(hub.received[0]).toMatchObject({ deviceId, properties, ...system, qos: 1 });
    },
  },
  {
    title: "Plug and Play model and component",
    run: async (scene) => {
      const messages = [{ body: "{}", properties: { "dt-subject": "thermostat1" } }];
      const options = { modelId: "dtmi:com:example:Thermostat;1" };
      const { device, hub } = start(scene, "telemetry", { messages, options });
      await using _ = device;
      await device.event("done");
      expect(hub.received[0]).toMatchObject({ component: "thermostat1" });
      expect(scene.emulator.events.of("hub.connected")).toMatchObject([options]);
    },
  },
  {
    title: "X.509 instead of a key",
    run: async (scene) => {
      const root = await CertificateAuthority.create({ commonName: "Factory root" });
      const { certificatePem, privateKeyPem } = await root.issue({ commonName: deviceId, usage: "client" });
      const hub = scene.emulator.hub();
      hub.addDevice({ deviceId, authentication: { method: "x509", certificate: certificatePem } });
      await using device = scene.start("telemetry", {
        connectionString: `HostName=${scene.hubHost()};DeviceId=${deviceId};x509=true`,
        certificate: { cert: certificatePem, key: privateKeyPem },
        messages: [{ body: "hello" }],
      });
      await device.event("done");
      expect(hub.received.map((message) => message.text())).toEqual(["hello"]);
      expect(scene.emulator.events.of("hub.connected")).toMatchObject([{ credential: "certificate" }]);
    },
  },
  {
    title: "cloud-to-device message with properties, completed",
    run: async (scene) => {
      const { device, hub } = start(scene, "messages", { count: 1 });
      await using _ = device;
      await subscribed(scene, `devices/${deviceId}/messages/devicebound/`);
      const about = { correlationId: "c/1", contentType: "text/plain", contentEncoding: "utf-8" };
      const properties = { "a b": "c&d=e/é" };
      const sent = hub.sendToDevice(deviceId, { payload: "hällo", messageId: "m 1", properties, ...about });
      expect(await device.event("message")).toMatchObject({ body: "hällo", messageId: "m 1", properties, ...about });
      await sent.completed;
      await device.event("done");
    },
  },
  {
    title: "cloud-to-device messages that were sent while the device was away",
    run: async (scene) => {
      const hub = scene.emulator.hub();
      const { primaryKey } = hub.addDevice({ deviceId });
      const connectionString = `HostName=${scene.hubHost()};DeviceId=${deviceId};SharedAccessKey=${primaryKey}`;
      const sent = ["one", "two"].map((payload) => hub.sendToDevice(deviceId, { payload }));
      await using device = scene.start("messages", { connectionString, count: 2 });
      expect([(await device.event("message")).body, (await device.event("message")).body]).toEqual(["one", "two"]);
      await Promise.all(sent.map(({ completed }) => completed));
      await device.event("done");
    },
  },
  {
    title: "cloud-to-device message, rejected",
    run: async (scene) => {
      const { device, hub } = start(scene, "messages", { count: 1, settle: "reject" });
      await using _ = device;
      await subscribed(scene, `devices/${deviceId}/messages/devicebound/`);
      hub.sendToDevice(deviceId, { payload: "no" });
      await requireNotImplemented(device, "MQTT can only complete a message");
    },
  },
  {
    title: "batch of messages",
    run: async (scene) => {
      const { device } = start(scene, "batch");
      await using _ = device;
      await requireNotImplemented(device, "MQTT has no batches");
    },
  },
  {
    title: "direct method",
    run: async (scene) => {
      const { device, hub } = start(scene, "methods");
      await using _ = device;
      await subscribed(scene, "$iothub/methods/");
      const answer = await hub.invokeMethod(deviceId, "reboot", { delay: [1, "ä"] });
      expect(answer).toMatchObject({ status: 207, payload: { echo: { delay: [1, "ä"] } } });
      await device.event("done");
    },
  },
  {
    title: "twin: read, report, a refused report, desired changes",
    run: async (scene) => {
      const twin = { desired: { fan: { speed: 3 } } };
      const { device, hub } = start(
        scene,
        "twin",
        { report: { fan: { rpm: 90 }, lamp: "on" }, refused: { "a.b": 1 } },
        twin,
      );
      await using _ = device;
      expect(await device.event("twin")).toMatchObject(twin);
      await device.event("reported");
      expect(hub.twin(deviceId).reported).toMatchObject({ fan: { rpm: 90 }, lamp: "on" });
      await device.event("refused");
      await subscribed(scene, "$iothub/twin/PATCH/properties/desired/");
      hub.updateDesired(deviceId, { fan: { speed: 4 } });
      expect(await device.event("desired", ({ patch }) => (patch as { fan?: { speed?: number } }).fan?.speed === 4));
      hub.updateDesired(deviceId, { stop: true });
      await device.event("done");
    },
  },
  {
    title: "file upload",
    needsRealNames: true,
    run: async (scene) => {
      const { device, hub } = start(scene, "upload", { blobName: "logs/today.txt", bytes: 10_000_000 });
      await using _ = device;
      await device.event("done");
      expect(hub.uploads).toMatchObject([{ deviceId, blobName: "logs/today.txt", isSuccess: true, statusCode: 201 }]);
      const content = hub.uploads[0]?.content;
      expect(content?.equals(Buffer.alloc(10_000_000, "landfall "))).toBe(true);
    },
  },
  {
    title: "token renewal on a live connection",
    run: async (scene) => {
      const tokenRenewal = { tokenValidTimeInSeconds: 60, tokenRenewalMarginInSeconds: 59 };
      const { device, hub } = start(scene, "endure", { options: { tokenRenewal } });
      await using _ = device;
      await device.event("open");
      await subscribed(scene, "$iothub/methods/");
      device.write("before\n");
      await device.event("sent");
      const [first] = scene.emulator.events.of("hub.connected");
      await scene.emulator.events.next("hub.connected", { where: ({ atMs }) => atMs > (first?.atMs ?? 0) });
      device.write("after\n");
      await device.event("sent");
      expect(hub.received.map((message) => message.text())).toEqual(["before", "after"]);
      expect(scene.emulator.events.of("rule.broken")).toEqual([]);
      // Subscriptions are the hub's to remember: the client asked it to keep the session.
      expect(await hub.invokeMethod(deviceId, "ping", null)).toMatchObject({ status: 200, payload: "pong" });
      device.child.stdin.end();
      await device.event("done");
    },
  },
  {
    title: "reconnect after the hub closed the connection, by the client's own retry policy",
    run: async (scene) => {
      const { device, hub } = start(scene, "endure");
      await using _ = device;
      await device.event("open");
      await subscribed(scene, "$iothub/methods/");
      // Acknowledged after the subscription was: a client that is cut off between the two never comes back by itself.
      device.write("before\n");
      await device.event("sent");
      const [first] = scene.emulator.events.of("hub.connected");
      // In good order: a reset of TCP ends this client's session for good, whatever service it speaks to.
      hub.closeConnection(deviceId);
      await scene.emulator.events.next("hub.connected", {
        where: ({ elapsedMs }) => elapsedMs > (first?.elapsedMs ?? 0),
      });
      device.write("again\n");
      await device.event("sent");
      expect(hub.received.map((message) => message.text())).toEqual(["before", "again"]);
      expect(await hub.invokeMethod(deviceId, "ping", null)).toMatchObject({ status: 200, payload: "pong" });
      device.child.stdin.end();
      await device.event("done");
    },
  },
  {
    title: "a token from elsewhere instead of a key; refused: one that has expired",
    run: async (scene) => {
      const hub = scene.emulator.hub();
      const { primaryKey = "" } = hub.addDevice({ deviceId });
      const send = (token: string) => scene.start("telemetry", { token, messages: [{ body: "hello" }] });
      const tokenUntil = (expiresAtMs: number) =>
        sasToken(`${scene.hubHost()}/devices/${deviceId}`, primaryKey, { expiresAtMs });
      await using late = send(tokenUntil(Date.now() - 3_600_000));
      expect(await late.event("failed")).toMatchObject({ message: expect.stringContaining("Not authorized") });
      await using device = send(tokenUntil(Date.now() + 3_600_000));
      await device.event("done");
      expect(hub.received).toHaveLength(1);
    },
  },
  {
    title: "refused: disabled device",
    run: async (scene) => {
      const hub = scene.emulator.hub();
      const { primaryKey } = hub.addDevice({ deviceId, disabled: true });
      const connectionString = `HostName=${scene.hubHost()};DeviceId=${deviceId};SharedAccessKey=${primaryKey}`;
      await using device = scene.start("telemetry", { connectionString, messages: [{ body: "hello" }] });
      expect(await device.event("failed")).toMatchObject({ message: expect.stringContaining("Not authorized") });
      expect(scene.emulator.events.of("hub.refused")).toMatchObject([{ code: 5 }]);
    },
  },
];
