import { describe, expect, test } from "vitest";
import { Emulator } from "../../src/emulator/index.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { type Carrier, carriers, ForeignDevice, type ForeignOptions, sasToken } from "../support/foreign-device.ts";

const hubHost = "hub-a.azure-devices.net";
const key = Buffer.alloc(32, 1).toString("base64");

/** A hub, its clock, and devices of one id. */
interface AtHub {
  readonly emulator: Emulator;
  readonly clock: FakeClock;
  connect(options?: ForeignOptions & { readonly lifeMs?: number }): Promise<ForeignDevice>;
}

const deviceId = "press:07";
const events = `devices/${deviceId}/messages/events/`;
const commands = `devices/${deviceId}/messages/devicebound/#`;
const brokenRules = ({ emulator }: AtHub): readonly string[] =>
  emulator.events.of("rule.broken").map(({ rule }) => rule);

const closedFor = (rule: string, act: (device: ForeignDevice) => unknown) => async (hub: AtHub) => {
  await using device = await hub.connect();
  void Promise.resolve(act(device)).catch(() => {}); // what waits ends with the connection
  await device.closed;
  expect(brokenRules(hub)).toEqual([rule]);
};

const hubCases: readonly (readonly [string, (hub: AtHub) => Promise<void>])[] = [
  [
    "a second connection of the device is accepted, then the first one closed",
    async (hub) => {
      await using first = await hub.connect();
      await using second = await hub.connect();
      await first.closed;
      await second.publish(events, "still here");
      expect(brokenRules(hub)).toEqual(["taken-over"]);
    },
  ],
  ["QoS 2 closes the connection", closedFor("qos-2", (device) => device.publish(events, "", 2))],
  ["an unknown topic closes the connection", closedFor("unknown-topic", (device) => device.publish("other/topic"))],
  [
    "a token ends the connection when it expires, and opens none afterwards",
    async (hub) => {
      await using device = await hub.connect({ lifeMs: 60_000 });
      await hub.clock.advance(61_000);
      await device.closed;
      expect(brokenRules(hub)).toEqual(["credential-expired"]);
      await expect(hub.connect({ lifeMs: -1000 })).rejects.toBe(5);
    },
  ],
  [
    "without a clean session, messages that wait come with the next connection, before it has subscribed",
    async (hub) => {
      const device = await hub.connect({ clean: false });
      await device.subscribe(commands);
      await device.leave();
      hub.emulator.hub().sendToDevice(deviceId, { payload: "while you were away" });
      await using again = await hub.connect({ clean: false });
      expect(again.sessionPresent).toBe(true);
      expect(await again.messages.nth(1)).toMatchObject({ payload: "while you were away", qos: 1 });
    },
  ],
  [
    "a sixth subscription closes the connection",
    closedFor("too-many-subscriptions", (device) =>
      device.subscribe(
        ...[commands, "devices/+/messages/devicebound/#", "$iothub/methods/POST/#"],
        ...["$iothub/twin/res/#", "$iothub/twin/PATCH/properties/desired/#"],
        // There is no other filter but this one, with the id encoded.
        `devices/${encodeURIComponent(deviceId)}/messages/devicebound/#`,
      ),
    ),
  ],
  [
    "a patch of the twin that is no JSON object is answered with 400 and an error code",
    async (hub) => {
      await using device = await hub.connect();
      await device.subscribe("$iothub/twin/res/#");
      const { topic, payload } = await device.ask("$iothub/twin/PATCH/properties/reported/?$rid=1", "[]");
      expect(topic).toBe("$iothub/twin/res/400/?$rid=1");
      expect(JSON.parse(payload)).toMatchObject({ errorCode: expect.any(Number), message: expect.any(String) });
      await device.publish(events, "goes on");
    },
  ],
  [
    "a hub with too much to do refuses with CONNACK 3",
    async (hub) => {
      hub.emulator.hub().faults.next(deviceId, "connect", { connack: 3 });
      await expect(hub.connect()).rejects.toBe(3);
      await using _ = await hub.connect();
    },
  ],
];

describe.each(Object.keys(carriers))("a hub over %s", (carrierName) => {
  test.each(hubCases)("%s", async (_, run) => {
    const clock = new FakeClock(Date.now());
    await using emulator = await Emulator.start({ clock });
    emulator.hub().addDevice({ deviceId, authentication: { method: "symmetric_key", primaryKey: key } });
    const connect: AtHub["connect"] = ({ lifeMs = 3_600_000, ...options } = {}) => {
      const username = `${hubHost}/${deviceId}/?api-version=2021-04-12`;
      const password = sasToken(`${hubHost}/devices/${deviceId}`, key, { expiresAtMs: clock.now() + lifeMs });
      const carrier = (carriers[carrierName] as Carrier)(emulator, { servername: hubHost });
      return ForeignDevice.connect(carrier, { clientId: deviceId, username, password, ...options });
    };
    await run({ emulator, clock, connect });
  });
});
