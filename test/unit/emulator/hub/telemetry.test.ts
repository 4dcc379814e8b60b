import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { EmulatedHub } from "../../../support/emulated-hub.ts";

interface Vector {
  readonly deviceId: string;
  readonly topic: string;
  readonly message: Readonly<Record<string, unknown>>;
}
const { telemetry } = JSON.parse(readFileSync("test/vectors/hub-mqtt.json", "utf8")) as {
  telemetry: Record<"written" | "foreign", readonly Vector[]>;
};
const events = "devices/dev/messages/events/";

describe("telemetry", () => {
  test.each([...telemetry.written, ...telemetry.foreign])(
    "is read from $topic",
    async ({ deviceId, topic, message }) => {
      const emulated = new EmulatedHub();
      await using device = await emulated.device(deviceId);
      await device.publish(topic, "body");
      const { properties = {}, ...system } = message as { properties?: object };
      expect(emulated.hub.received).toMatchObject([{ deviceId, properties, ...system }]);
      expect(emulated.hub.received[0]?.text()).toBe("body");
    },
  );

  test("is stored with number, time and flags, whatever its QoS", async () => {
    const emulated = new EmulatedHub();
    await using device = await emulated.device();
    await device.publish("devices/dev/messages/events", '{"n":1}', 0);
    await emulated.clock.advance(500);
    await device.client.publishAsync(events, "", { qos: 1, dup: true, retain: true });
    const [first, second] = emulated.hub.received;
    expect(first).toMatchObject({
      hub: "hub-a",
      sequenceNumber: 1,
      qos: 0,
      duplicate: false,
      enqueuedAtMs: Date.UTC(2026, 0, 1),
    });
    expect(first?.json()).toEqual({ n: 1 });
    expect(second).toMatchObject({ sequenceNumber: 2, qos: 1, duplicate: true, properties: { "mqtt-retain": "true" } });
    expect(second?.enqueuedAtMs).toBe(Date.UTC(2026, 0, 1) + 500);
    expect(() => second?.json()).toThrow(SyntaxError);
  });

  test("can be followed, of all devices or of one, from the start or from now", async () => {
    const emulated = new EmulatedHub();
    await using one = await emulated.device("one");
    await using two = await emulated.device("two");
    await one.publish("devices/one/messages/events/", "1");
    await two.publish("devices/two/messages/events/", "2");
    const fromNow = emulated.hub.telemetry({ from: "now" }).next();
    const ofTwo = emulated.hub.telemetry({ deviceId: "two" });
    const all = emulated.hub.telemetry();
    await two.publish("devices/two/messages/events/", "3");
    expect((await fromNow).value.text()).toBe("3");
    expect([(await ofTwo.next()).value.text(), (await ofTwo.next()).value.text()]).toEqual(["2", "3"]);
    expect((await all.next()).value.text()).toBe("1");
    const waiting = ofTwo.next();
    emulated.hub.close();
    expect(await waiting).toMatchObject({ done: true });
  });

  test("stops for a reader who aborts", async () => {
    const { hub } = new EmulatedHub();
    const controller = new AbortController();
    const next = hub.telemetry({ signal: controller.signal }).next();
    controller.abort(new Error("enough"));
    await expect(next).rejects.toThrow("enough");
  });

  test("comes from the will of a device that is lost, marked as such", async () => {
    const emulated = new EmulatedHub();
    const will = { topic: `${events}a=b`, payload: Buffer.from("bye"), qos: 1, retain: false } as const;
    const device = await emulated.device("dev", { will });
    device.client.stream.destroy();
    const { value } = await emulated.hub.telemetry().next();
    expect(value).toMatchObject({ deviceId: "dev", properties: { a: "b", "iothub-MessageType": "Will" } });
    expect(value.text()).toBe("bye");
  });

  test("does not come from the will of a device that takes leave", async () => {
    const emulated = new EmulatedHub();
    const will = { topic: events, payload: Buffer.from("bye"), qos: 0, retain: false } as const;
    await (await emulated.device("dev", { will })).leave();
    await emulated.events.next("hub.disconnected");
    expect(emulated.hub.received).toEqual([]);
  });

  test("is not taken from another device's topic in another spelling", async () => {
    const emulated = new EmulatedHub();
    await using device = await emulated.device("a b", { clientId: "a b" });
    await device.publish("devices/a%20b/messages/events/", "encoded");
    await device.publish("devices/a b/messages/events/", "bare");
    expect(emulated.hub.received.map((message) => message.text())).toEqual(["encoded", "bare"]);
  });
});
