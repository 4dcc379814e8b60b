import { describe, expect, test } from "vitest";
import { EmulatedHub } from "../../../support/emulated-hub.ts";
import { isPending } from "../../../support/is-pending.ts";

const filter = "devices/dev/messages/devicebound/#";
const persistent = { clean: false } as const;

describe("a cloud-to-device message", () => {
  test("goes to a subscribed device with its properties, and is completed by the acknowledgement", async () => {
    const emulated = new EmulatedHub();
    await using device = await emulated.device();
    await device.subscribe(filter);
    const sent = emulated.hub.sendToDevice("dev", {
      payload: "hello",
      messageId: "c8a4",
      correlationId: "co",
      userId: "us",
      contentType: "application/json",
      contentEncoding: "utf-8",
      ack: "full",
      timeToLiveMs: 60_000,
      properties: { color: "düster&rot", bare: null, empty: "" },
    });
    const { topic, payload, qos, dup } = await device.messages.nth(1);
    expect(topic).toBe(
      "devices/dev/messages/devicebound/%24.mid=c8a4&%24.to=%2Fdevices%2Fdev%2Fmessages%2FdeviceBound&%24.cid=co&%24.uid=us" +
        "&%24.ct=application%2Fjson&%24.ce=utf-8&%24.exp=2026-01-01T00%3A01%3A00.000Z&iothub-ack=full" +
        "&color=d%C3%BCster%26rot&bare&empty=",
    );
    expect({ payload, qos, dup }).toEqual({ payload: "hello", qos: 1, dup: false });
    expect(await sent.completed).toBe(emulated.clock.now());
    expect(emulated.events.of("hub.message-completed")).toMatchObject([{ deviceId: "dev", messageId: "c8a4" }]);
  });

  test("has an id of its own when it is given none", () => {
    const { hub } = new EmulatedHub();
    hub.addDevice({ deviceId: "dev" });
    const ids = [1, 2].map(() => hub.sendToDevice("dev", { payload: "" }).messageId);
    expect(new Set(ids).size).toBe(2);
  });

  test("waits for a device that is away, and comes in order", async () => {
    const emulated = new EmulatedHub();
    emulated.hub.addDevice({ deviceId: "elsewhere" });
    await using device = await emulated.device();
    const sent = ["1", "2", "3"].map((payload) => emulated.hub.sendToDevice("dev", { payload }));
    expect(await isPending(sent[0]?.completed ?? Promise.resolve())).toBe(true);
    await device.subscribe(filter);
    await Promise.all(sent.map(({ completed }) => completed));
    expect(device.messages.all.map(({ payload }) => payload)).toEqual(["1", "2", "3"]);
  });

  test("comes again, marked, to the next connection when the first one did not acknowledge it", async () => {
    const emulated = new EmulatedHub();
    const first = await emulated.device("dev", { ...persistent, acknowledges: false });
    await first.subscribe(filter);
    const sent = emulated.hub.sendToDevice("dev", { payload: "once more" });
    await first.messages.nth(1);
    emulated.hub.dropConnection("dev");
    await first.closed;
    await using second = await emulated.device("dev", persistent);
    expect(second.sessionPresent).toBe(true);
    expect(await second.messages.nth(1)).toMatchObject({ payload: "once more", dup: true });
    await sent.completed;
  });

  test("waits for a new subscription after a clean session", async () => {
    const emulated = new EmulatedHub();
    const first = await emulated.device("dev");
    await first.subscribe(filter);
    await first.leave();
    const sent = emulated.hub.sendToDevice("dev", { payload: "later" });
    await using second = await emulated.device("dev");
    await second.publish("devices/dev/messages/events/");
    expect(second.messages.all).toEqual([]);
    await second.subscribe("devices/+/messages/devicebound/#");
    await sent.completed;
    // Nobody was there to get it before, so it is no duplicate.
    expect(second.messages.all).toMatchObject([{ payload: "later", dup: false }]);
  });

  test("is not sent after the device has unsubscribed", async () => {
    const emulated = new EmulatedHub();
    await using device = await emulated.device();
    await device.subscribe(filter);
    await device.client.unsubscribeAsync(filter);
    const sent = emulated.hub.sendToDevice("dev", { payload: "" });
    await device.publish("devices/dev/messages/events/");
    expect(device.messages.all).toEqual([]);
    expect(await isPending(sent.completed)).toBe(true);
  });

  test("is completed at once for a device that subscribed with QoS 0", async () => {
    const emulated = new EmulatedHub();
    await using device = await emulated.device();
    await device.client.subscribeAsync(filter, { qos: 0 });
    await emulated.hub.sendToDevice("dev", { payload: "hi" }).completed;
    expect(await device.messages.nth(1)).toMatchObject({ payload: "hi", qos: 0 });
  });

  test("expires", async () => {
    const emulated = new EmulatedHub();
    await using device = await emulated.device();
    const [short, usual] = [{ timeToLiveMs: 1000 }, {}].map((more) =>
      emulated.hub.sendToDevice("dev", { payload: "", ...more }),
    );
    await emulated.clock.advance(1000);
    await device.subscribe(filter);
    await expect(short?.completed).rejects.toMatchObject({ code: "emulator.rejected" });
    await usual?.completed;
  });

  test("is given up after ten deliveries in vain", async () => {
    const emulated = new EmulatedHub();
    await (await emulated.device("dev", persistent)).leave();
    const sent = emulated.hub.sendToDevice("dev", { payload: "" });
    for (let delivery = 1; delivery <= 10; delivery++) {
      expect(await isPending(sent.completed)).toBe(true);
      const device = await emulated.device("dev", { ...persistent, acknowledges: false });
      if (delivery === 1) await device.subscribe(filter);
      await device.messages.nth(1);
      device.client.stream.destroy();
      await device.closed;
    }
    await expect(sent.completed).rejects.toThrow(/10 times/);
    await using last = await emulated.device("dev", persistent);
    await last.publish("devices/dev/messages/events/");
    expect(last.messages.all).toEqual([]);
  });

  test("is given up with its device", async () => {
    const { hub } = new EmulatedHub();
    hub.addDevice({ deviceId: "dev" });
    const sent = hub.sendToDevice("dev", { payload: "" });
    hub.removeDevice("dev");
    await expect(sent.completed).rejects.toThrow(/removed/);
  });

  test.each<[string, number, (hub: EmulatedHub["hub"]) => void]>([
    ["for an unknown device", 404001, (hub) => hub.sendToDevice("nobody", { payload: "" })],
    ["of more than 65 536 bytes", 413001, (hub) => hub.sendToDevice("dev", { payload: Buffer.alloc(65_537) })],
    [
      "when 50 are waiting",
      403004,
      (hub) => {
        for (let sent = 0; sent <= 50; sent++) hub.sendToDevice("dev", { payload: "" });
      },
    ],
  ])("is refused %s", (_what, errorCode, send) => {
    const { hub } = new EmulatedHub();
    hub.addDevice({ deviceId: "dev" });
    expect(() => send(hub)).toThrow(
      expect.objectContaining({ code: "emulator.rejected", service: expect.objectContaining({ errorCode }) }),
    );
  });

  test("is refused with properties that no topic can hold", () => {
    const { hub } = new EmulatedHub();
    hub.addDevice({ deviceId: "dev" });
    const properties = { long: "x".repeat(65_500) };
    expect(() => hub.sendToDevice("dev", { payload: "", properties })).toThrow(/413001/);
  });

  test("is given up when the emulator is closed", async () => {
    const { hub } = new EmulatedHub();
    hub.addDevice({ deviceId: "dev" });
    const sent = hub.sendToDevice("dev", { payload: "" });
    hub.close();
    await expect(sent.completed).rejects.toMatchObject({ code: "emulator.closed" });
  });

  test("has room again in the queue once another has expired", async () => {
    const { hub, clock } = new EmulatedHub();
    hub.addDevice({ deviceId: "dev" });
    for (let sent = 0; sent < 50; sent++) hub.sendToDevice("dev", { payload: "", timeToLiveMs: 1000 });
    await clock.advance(1000);
    hub.sendToDevice("dev", { payload: Buffer.alloc(65_536) });
  });
});
