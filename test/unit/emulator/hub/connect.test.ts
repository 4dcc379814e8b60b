import { describe, expect, test } from "vitest";
import { deviceKey, EmulatedHub } from "../../../support/emulated-hub.ts";
import { sasToken } from "../../../support/foreign-device.ts";

const other = Buffer.alloc(32, 9).toString("base64");

describe("a connection to a hub", () => {
  test("is made with a token of the device's key, and recorded", async () => {
    const emulated = new EmulatedHub();
    await using device = await emulated.device("dev", {
      username: `${emulated.username("dev")}&model-id=dtmi:com:example:Thermostat;1&DeviceClientType=sdk%2F1.0`,
      keepalive: 60,
    });
    await device.subscribe("$iothub/methods/POST/#");
    expect(emulated.hub.connections).toEqual([
      {
        deviceId: "dev",
        transport: "mqtt",
        credential: "sas",
        remoteAddress: "127.0.0.1",
        connectedAtMs: emulated.clock.now(),
        credentialExpiresAtMs: emulated.clock.now() + 3_600_000,
        cleanSession: true,
        keepAliveSeconds: 60,
        apiVersion: "2021-04-12",
        modelId: "dtmi:com:example:Thermostat;1",
        clientAgent: "sdk/1.0",
        subscriptions: ["$iothub/methods/POST/#"],
      },
    ]);
    expect(emulated.events.of("hub.connected")).toMatchObject([
      { hub: "hub-a", deviceId: "dev", sessionPresent: false },
    ]);
    await device.leave();
    await emulated.events.next("hub.disconnected", { where: ({ reason }) => reason === "the client disconnected" });
    expect(emulated.hub.connections).toEqual([]);
  });

  test("is made with the secondary key as well", async () => {
    const emulated = new EmulatedHub();
    const { secondaryKey } = emulated.hub.addDevice({ deviceId: "dev" });
    await using device = await emulated.device("dev", { password: emulated.token("dev", 1000, secondaryKey) });
    expect(device.sessionPresent).toBe(false);
  });

  test("is made under the hub's name for TLS 1.3, and at an address of this machine", async () => {
    const emulated = new EmulatedHub();
    for (const host of ["hub-a.device.azure-devices.net", "localhost:8883"]) {
      const password = sasToken(`${host}/devices/dev`, deviceKey, { expiresAtMs: emulated.clock.now() + 1000 });
      await (await emulated.device("dev", { username: `${host}/dev/?api-version=2021-04-12`, password })).leave();
    }
    expect(emulated.events.of("hub.connected")).toHaveLength(2);
  });

  test.each<[string, number, (it: EmulatedHub) => object]>([
    ["a wrong key", 5, (it) => ({ password: it.token("dev", 3_600_000, other) })],
    ["an expired token", 5, (it) => ({ password: it.token("dev", 0) })],
    ["the token of another device", 5, (it) => ({ password: it.token("other") })],
    [
      "the token of another hub",
      5,
      (it) => ({
        password: sasToken("hub-b.azure-devices.net/devices/dev", deviceKey, { expiresAtMs: it.clock.now() + 1000 }),
      }),
    ],
    ["a user name for another hub", 5, () => ({ username: "hub-b.azure-devices.net/dev/?api-version=2021-04-12" })],
    ["a token under a policy", 5, (it) => ({ password: `${it.token("dev")}&skn=iothubowner` })],
    ["no token", 5, () => ({ password: undefined })],
    ["something that is no token", 5, () => ({ password: "secret" })],
    [
      "an unknown device",
      5,
      (it) => ({ clientId: "nobody", username: it.username("nobody"), password: it.token("nobody") }),
    ],
    [
      "a device id in another case",
      5,
      (it) => ({ clientId: "DEV", username: it.username("DEV"), password: it.token("DEV") }),
    ],
    ["a module", 5, (it) => ({ clientId: "dev/m", username: it.username("dev/m") })],
    ["a client id that is not the device id", 2, () => ({ clientId: "dev2" })],
    ["no api-version", 5, () => ({ username: "hub-a.azure-devices.net/dev/?" })],
    ["an api-version that is none", 5, () => ({ username: "hub-a.azure-devices.net/dev/?api-version=latest" })],
    ["the user name of DPS", 5, () => ({ username: "0ne/registrations/dev/api-version=2019-03-31" })],
    ["no user name", 5, () => ({ username: undefined, password: undefined })],
  ])("is refused: %s", async (_what, code, options) => {
    const emulated = new EmulatedHub();
    await (await emulated.device("dev")).leave();
    await expect(emulated.device("dev", options(emulated))).rejects.toBe(code);
    const [refused] = emulated.events.of("hub.refused");
    expect(refused).toMatchObject({ hub: "hub-a", code });
    expect(JSON.stringify(emulated.logged)).not.toContain("sig=");
  });

  test("is refused to a disabled device, and the one it has is closed", async () => {
    const emulated = new EmulatedHub();
    const device = await emulated.device("dev");
    emulated.hub.disableDevice("dev");
    await device.closed;
    await expect(emulated.device("dev")).rejects.toBe(5);
    emulated.hub.enableDevice("dev");
    await (await emulated.device("dev")).leave();
    expect(emulated.broken).toEqual(["device-disabled"]);
  });

  test("is refused to a removed device, and the one it has is closed", async () => {
    const emulated = new EmulatedHub();
    const device = await emulated.device("dev");
    emulated.hub.removeDevice("dev");
    await device.closed;
    expect(emulated.broken).toEqual(["device-removed"]);
    expect(emulated.hub.deviceIds).toEqual([]);
    expect(() => emulated.hub.removeDevice("dev")).toThrow(expect.objectContaining({ code: "emulator.rejected" }));
  });

  test.each([
    ["unavailable", 3],
    ["unauthorized", 5],
  ] as const)("is refused while the hub is told to: %s", async (refusal, code) => {
    const emulated = new EmulatedHub();
    const device = await emulated.device("dev");
    emulated.hub.refuse(refusal);
    await expect(emulated.device("dev")).rejects.toBe(code);
    expect(emulated.hub.connections).toHaveLength(1);
    emulated.hub.refuse(undefined);
    await (await emulated.device("dev")).leave();
    await device.closed;
  });

  test("takes over from an earlier one of the same device: the new one is accepted, then the old one closed", async () => {
    const emulated = new EmulatedHub();
    const [first, bystander] = [await emulated.device("dev"), await emulated.device("dev-2")];
    await using second = await emulated.device("dev");
    await first.closed;
    await second.publish("devices/dev/messages/events/");
    const kinds = emulated.events.all.map(({ kind }) => kind).slice(2);
    expect(kinds).toEqual(["rule.broken", "hub.disconnected", "hub.connected", "hub.telemetry"]);
    expect(emulated.events.of("hub.disconnected")[0]?.reason).toContain("taken-over");
    expect(emulated.hub.connections.map(({ deviceId }) => deviceId)).toEqual(["dev-2", "dev"]);
    await bystander.leave();
  });

  test("ends when its token expires, by the hub's clock", async () => {
    const emulated = new EmulatedHub();
    const device = await emulated.device("dev", { password: emulated.token("dev", 60_000) });
    await emulated.clock.advance(59_999);
    await device.publish("devices/dev/messages/events/");
    await emulated.clock.advance(1);
    await device.closed;
    expect(emulated.broken).toEqual(["credential-expired"]);
    expect(emulated.clock.pending).toEqual([]);
  });

  test("can be cut", async () => {
    const emulated = new EmulatedHub();
    const device = await emulated.device("dev");
    emulated.hub.dropConnection("dev");
    await device.closed;
    expect(emulated.events.of("hub.disconnected")[0]?.reason).toContain("cut");
    expect(() => emulated.hub.dropConnection("dev")).toThrow(
      expect.objectContaining({ service: expect.objectContaining({ errorCode: 404103 }) }),
    );
  });

  test("can be closed in good order, after what was sent", async () => {
    const emulated = new EmulatedHub();
    const device = await emulated.device("dev");
    emulated.hub.closeConnection("dev");
    await device.closed;
    expect(emulated.events.of("hub.disconnected")[0]?.reason).toBe("the emulator closed the connection");
    expect(() => emulated.hub.closeConnection("dev")).toThrow(
      expect.objectContaining({ service: expect.objectContaining({ errorCode: 404103 }) }),
    );
  });

  test("keeps its subscriptions for a client that asks for its session", async () => {
    const emulated = new EmulatedHub();
    const first = await emulated.device("dev", { clean: false });
    expect(first.sessionPresent).toBe(false);
    await first.subscribe("$iothub/twin/res/#");
    await first.leave();
    await using second = await emulated.device("dev", { clean: false });
    expect(second.sessionPresent).toBe(true);
    expect((await second.ask("$iothub/twin/GET/?$rid=1")).topic).toBe("$iothub/twin/res/200/?$rid=1");
  });

  test("begins anew for a client that asks for a clean session, and leaves nothing behind", async () => {
    const emulated = new EmulatedHub();
    const first = await emulated.device("dev", { clean: false });
    await first.subscribe("$iothub/twin/res/#");
    await first.leave();
    await (await emulated.device("dev", { clean: true })).leave();
    await using third = await emulated.device("dev", { clean: false });
    expect(third.sessionPresent).toBe(false);
    expect(emulated.hub.connections[0]?.subscriptions).toEqual([]);
  });

  test("gets no answer from a silent hub, neither at CONNECT nor later", async () => {
    const emulated = new EmulatedHub();
    const device = await emulated.device("dev");
    emulated.hub.silent(true);
    void device.publish("devices/dev/messages/events/").catch(() => {});
    const connecting = emulated.device("dev").then(() => "connected");
    await emulated.clock.advance(0);
    expect(await Promise.race([connecting, emulated.clock.advance(0).then(() => "nothing")])).toBe("nothing");
    expect(emulated.hub.received).toEqual([]);
    emulated.hub.silent(false);
    device.client.stream.destroy();
    await (await emulated.device("dev")).leave();
  });
});

describe("a rule of the hub", () => {
  const events = "devices/dev/messages/events/";
  const large = (bytes: number): Buffer => Buffer.alloc(bytes);

  test.each<[string, string, (device: Awaited<ReturnType<EmulatedHub["device"]>>) => Promise<void>]>([
    ["QoS 2", "qos-2", (device) => device.publish(events, "", 2)],
    ["an unknown topic", "unknown-topic", (device) => device.publish("a/b")],
    [
      "the telemetry topic of another device",
      "unknown-topic",
      (device) => device.publish("devices/other/messages/events/"),
    ],
    ["an answer topic", "unknown-topic", (device) => device.publish("$iothub/twin/res/200/?$rid=1")],
    ["a twin request without an id", "missing-request-id", (device) => device.publish("$iothub/twin/GET/")],
    ["a twin request with an empty id", "missing-request-id", (device) => device.publish("$iothub/twin/GET/?$rid=")],
    ["262 145 bytes of telemetry", "message-too-large", (device) => device.publish(events, large(262_145))],
    [
      "more than 262 144 bytes with properties",
      "message-too-large",
      (device) => device.publish(`${events}a=b`, large(262_143)),
    ],
    [
      "a packet that is larger than any message",
      "message-too-large",
      (device) => device.publish(events, large(400_000)),
    ],
    [
      "a method answer of more than 131 072 bytes",
      "message-too-large",
      (device) => device.publish("$iothub/methods/res/200/?$rid=1", large(131_073)),
    ],
    ["an unknown filter", "unknown-filter", (device) => device.subscribe("#")],
    [
      "a filter that is narrower than the hub's",
      "unknown-filter",
      (device) => device.subscribe("$iothub/twin/res/200/#"),
    ],
    [
      "the messages of another device",
      "unknown-filter",
      (device) => device.subscribe("devices/other/messages/devicebound/#"),
    ],
  ])("is named when it is broken, and the connection closed: %s", async (_what, rule, act) => {
    const emulated = new EmulatedHub();
    const device = await emulated.device("dev");
    void act(device).catch(() => {});
    await device.closed;
    expect(emulated.broken).toEqual([rule]);
    const fields = { service: "hub-a", clientId: "dev", rule };
    const message = expect.stringContaining(rule);
    expect(emulated.logged).toContainEqual(expect.objectContaining({ level: "warn", message, fields }));
    expect(emulated.hub.received).toEqual([]);
  });

  test("allows 262 144 bytes of telemetry", async () => {
    const emulated = new EmulatedHub();
    await using device = await emulated.device("dev");
    // Names and values of the application count, values alone of the hub's own properties.
    await device.publish(`${events}a=b&%24.mid=id`, large(262_140));
    expect(emulated.hub.received[0]?.payload).toHaveLength(262_140);
  });

  test("allows five subscriptions and no sixth; the same one again is none", async () => {
    const emulated = new EmulatedHub();
    const device = await emulated.device("d v", { clientId: "d v" });
    const ids = ["d v", encodeURIComponent("d v"), "+"].map((id) => `devices/${id}/messages/devicebound/#`);
    await device.subscribe(
      ...ids.slice(0, 2),
      "$iothub/methods/POST/#",
      "$iothub/twin/res/#",
      "$iothub/twin/PATCH/properties/desired/#",
    );
    await device.subscribe("$iothub/twin/res/#");
    await device.client.unsubscribeAsync("$iothub/methods/POST/#");
    await device.subscribe(...ids.slice(2));
    void device.subscribe("$iothub/methods/POST/#").catch(() => {});
    await device.closed;
    expect(emulated.broken).toEqual(["too-many-subscriptions"]);
  });

  test.each([
    ["to another's topic", "unknown-topic", { topic: "devices/other/messages/events/", qos: 1 }],
    ["with QoS 2", "qos-2", { topic: events, qos: 2 }],
  ] as const)("also holds for a will %s", async (_what, rule, will) => {
    const emulated = new EmulatedHub();
    const connecting = emulated.device("dev", { will: { ...will, payload: Buffer.from("bye"), retain: false } });
    await expect(connecting).rejects.toBe("closed");
    expect(emulated.broken).toEqual([rule]);
  });
});
