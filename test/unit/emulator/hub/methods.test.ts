import { describe, expect, test } from "vitest";
import { deviceKey, EmulatedHub } from "../../../support/emulated-hub.ts";
import type { ForeignDevice } from "../../../support/foreign-device.ts";

async function listening(): Promise<[EmulatedHub, ForeignDevice]> {
  const emulated = new EmulatedHub();
  const device = await emulated.device();
  await device.subscribe("$iothub/methods/POST/#");
  return [emulated, device];
}

const requestIdIn = (topic: string): string => topic.slice(topic.indexOf("$rid=") + "$rid=".length);

describe("a direct method", () => {
  test("goes to the device and comes back with status and payload", async () => {
    const [{ hub, events, clock }, device] = await listening();
    const call = hub.invokeMethod("dev", "reboot", { delay: 5 });
    const { topic, payload, qos } = await device.messages.nth(1);
    expect(topic).toMatch(/^\$iothub\/methods\/POST\/reboot\/\?\$rid=[0-9a-f]+$/);
    expect([payload, qos]).toEqual(['{"delay":5}', 0]);
    await device.publish(`$iothub/methods/res/202/?$rid=${requestIdIn(topic)}`, '{"accepted":true}', 0);
    expect(await call).toEqual({ status: 202, payload: { accepted: true } });
    expect(events.of("hub.method-answered")).toMatchObject([{ deviceId: "dev", name: "reboot", status: 202 }]);
    expect(clock.pending).toHaveLength(1); // the token's expiry only
    await device.leave();
  });

  test("may go out and come back without a body", async () => {
    const [{ hub }, device] = await listening();
    const call = hub.invokeMethod("dev", "a b/c");
    const { topic, payload } = await device.messages.nth(1);
    expect([topic.split("/?")[0], payload]).toEqual(["$iothub/methods/POST/a%20b%2Fc", ""]);
    await device.publish(`$iothub/methods/res/-1/?$rid=${requestIdIn(topic)}`);
    expect(await call).toEqual({ status: -1, payload: null });
    await device.leave();
  });

  test("finds its own answer among others", async () => {
    const [{ hub }, device] = await listening();
    const calls = [hub.invokeMethod("dev", "a"), hub.invokeMethod("dev", "b")];
    const topics = [await device.messages.nth(1), await device.messages.nth(2)].map(({ topic }) => topic);
    await device.publish("$iothub/methods/res/500/?$rid=nobody");
    await device.publish(`$iothub/methods/res/2/?$rid=${requestIdIn(topics[1] ?? "")}`);
    await device.publish(`$iothub/methods/res/1/?$rid=${requestIdIn(topics[0] ?? "")}`);
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([1, 2]);
    await device.leave();
  });

  test("cannot be answered by another device", async () => {
    const [emulated, device] = await listening();
    const other = await emulated.device("other");
    const call = emulated.hub.invokeMethod("dev", "a");
    const { topic } = await device.messages.nth(1);
    await other.publish(`$iothub/methods/res/500/?$rid=${requestIdIn(topic)}`);
    await device.publish(`$iothub/methods/res/200/?$rid=${requestIdIn(topic)}`);
    expect((await call).status).toBe(200);
    await Promise.all([device.leave(), other.leave()]);
  });

  const refused = (errorCode: number) => ({ code: "emulator.rejected", service: { errorCode } });

  test("is refused for a device that is unknown, away, or does not listen", async () => {
    const emulated = new EmulatedHub();
    await expect(emulated.hub.invokeMethod("dev", "a")).rejects.toMatchObject(refused(404001));
    emulated.hub.addDevice({ deviceId: "away" });
    await expect(emulated.hub.invokeMethod("away", "a")).rejects.toMatchObject(refused(404103));
    await using device = await emulated.device();
    await expect(emulated.hub.invokeMethod("dev", "a")).rejects.toMatchObject(refused(404103));
    expect(device.messages.all).toEqual([]);
  });

  test("waits for the device to connect and to listen where it is told to, and no longer", async () => {
    const emulated = new EmulatedHub();
    const { hub, clock } = emulated;
    hub.addDevice({ deviceId: "dev", authentication: { method: "symmetric_key", primaryKey: deviceKey } });
    const call = hub.invokeMethod("dev", "a", undefined, { connectTimeoutMs: 10_000 });
    await using device = await emulated.device("dev");
    await device.subscribe("$iothub/methods/POST/#");
    const { topic } = await device.messages.nth(1);
    await device.publish(`$iothub/methods/res/200/?$rid=${requestIdIn(topic)}`);
    expect(await call).toMatchObject({ status: 200 });

    hub.addDevice({ deviceId: "away" });
    const impatience = new AbortController();
    const { signal } = impatience;
    const calls = [
      hub.invokeMethod("away", "a", undefined, { connectTimeoutMs: 10_000 }),
      hub.invokeMethod("away", "a", undefined, { connectTimeoutMs: 1e6, signal }),
    ];
    const outcomes = Promise.allSettled(calls);
    await clock.advance(10_000);
    impatience.abort(new Error("enough"));
    expect(await outcomes).toMatchObject([{ reason: refused(404103) }, { reason: { message: "enough" } }]);
    const given = hub.invokeMethod("away", "a", undefined, { connectTimeoutMs: 10_000 });
    emulated.events.close();
    await expect(given).rejects.toMatchObject({ code: "emulator.closed" });
    expect(clock.pending).toHaveLength(1); // the token's expiry only
  });

  test("times out after 30 seconds, or when it is told to, by the hub's clock", async () => {
    const [{ hub, clock }, device] = await listening();
    const [usual, short] = [hub.invokeMethod("dev", "a"), hub.invokeMethod("dev", "b", null, { timeoutMs: 1000 })];
    const outcomes = Promise.allSettled([usual, short]);
    await clock.advance(1000);
    await expect(short).rejects.toMatchObject(refused(504101));
    await clock.advance(29_000);
    expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await device.leave();
  });

  test("fails when the device leaves before it has answered", async () => {
    const [{ hub }, device] = await listening();
    const call = hub.invokeMethod("dev", "a");
    await device.leave();
    await expect(call).rejects.toMatchObject(refused(404104));
  });

  test("fails when the answer is not JSON, or the call is too large", async () => {
    const [{ hub }, device] = await listening();
    const call = hub.invokeMethod("dev", "a");
    const { topic } = await device.messages.nth(1);
    await device.publish(`$iothub/methods/res/200/?$rid=${requestIdIn(topic)}`, "{");
    await expect(call).rejects.toMatchObject(refused(400004));
    await expect(hub.invokeMethod("dev", "a", "x".repeat(131_071))).rejects.toMatchObject(refused(413001));
    await device.leave();
  });

  test("can be given up, before it begins and on its way", async () => {
    const [{ hub, clock }, device] = await listening();
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(hub.invokeMethod("dev", "a", null, { signal })).rejects.toThrow("enough");
    const controller = new AbortController();
    const call = hub.invokeMethod("dev", "a", null, { signal: controller.signal });
    controller.abort(new Error("enough of this"));
    await expect(call).rejects.toThrow("enough of this");
    expect(clock.pending).toHaveLength(1);
    await device.leave();
  });
});
