import { describe, expect, test } from "vitest";
import type { FeedbackRecord, FeedbackRequest } from "../../../../src/emulator/index.ts";
import { EmulatedHub } from "../../../support/emulated-hub.ts";

const filter = "devices/dev/messages/devicebound/#";
const aMinute = 60_000;

/** A hub with a device in its registry that is not connected. */
function known() {
  const emulated = new EmulatedHub();
  emulated.hub.addDevice({ deviceId: "dev" });
  return emulated;
}

function codes(records: readonly FeedbackRecord[]): readonly (readonly [string, string])[] {
  return records.map(({ originalMessageId, statusCode }) => [originalMessageId, statusCode]);
}

const requests: readonly FeedbackRequest[] = ["none", "positive", "negative", "full"];

describe("feedback", () => {
  test("on a completed message has the shape of the service, for who asked for it", async () => {
    const emulated = new EmulatedHub();
    await using device = await emulated.device();
    await device.subscribe(filter);
    await emulated.clock.advance(aMinute);
    for (const ack of requests) await emulated.hub.sendToDevice("dev", { payload: "", messageId: ack, ack }).completed;
    const deviceGenerationId = expect.stringMatching(/^\d{18}$/);
    const about = { statusCode: "Success", description: "Success", deviceId: "dev", deviceGenerationId };
    expect(emulated.hub.feedbackReceived).toEqual([
      { originalMessageId: "positive", enqueuedTimeUtc: "2026-01-01T00:01:00.000Z", ...about },
      { originalMessageId: "full", enqueuedTimeUtc: "2026-01-01T00:01:00.000Z", ...about },
    ]);
  });

  test("on an expired message comes at the moment of its expiry, connected or not", async () => {
    const { hub, clock, events } = known();
    for (const ack of requests) hub.sendToDevice("dev", { payload: "", messageId: ack, ack, timeToLiveMs: aMinute });
    await clock.advance(aMinute - 1);
    expect(hub.feedbackReceived).toEqual([]);
    await clock.advance(1);
    expect(codes(hub.feedbackReceived)).toEqual([
      ["negative", "Expired"],
      ["full", "Expired"],
    ]);
    expect(hub.feedbackReceived[0]?.enqueuedTimeUtc).toBe("2026-01-01T00:01:00.000Z");
    expect(events.of("hub.message-given-up")).toHaveLength(4);
  });

  test("tells of messages that were rejected, or purged, or lost with their device", () => {
    const { hub } = known();
    for (const messageId of ["a", "b", "c"]) hub.sendToDevice("dev", { payload: "", messageId, ack: "full" });
    expect([hub.rejectMessage("dev", "b"), hub.rejectMessage("dev", "b")]).toEqual([true, false]);
    expect(hub.purgeMessages("dev")).toBe(2);
    hub.sendToDevice("dev", { payload: "", messageId: "d", ack: "full" });
    hub.removeDevice("dev");
    expect(codes(hub.feedbackReceived)).toEqual([
      ["b", "Rejected"],
      ["a", "Purged"],
      ["c", "Purged"],
      ["d", "Purged"],
    ]);
  });

  test("tells of a message that was delivered as often as the hub allows", async () => {
    const emulated = new EmulatedHub({ maxDeliveryCount: 2 });
    await (await emulated.device("dev", { clean: false })).leave();
    const sent = emulated.hub.sendToDevice("dev", { payload: "", messageId: "a", ack: "negative" });
    for (let delivery = 1; delivery <= 2; delivery++) {
      const device = await emulated.device("dev", { clean: false, acknowledges: false });
      if (delivery === 1) await device.subscribe(filter);
      await device.messages.nth(1);
      device.client.stream.destroy();
      await device.closed;
    }
    await expect(sent.completed).rejects.toThrow(/2 times/);
    expect(codes(emulated.hub.feedbackReceived)).toEqual([["a", "DeliveryCountExceeded"]]);
  });

  test("gives the last delivery its time when it goes to a connection that took the device over", async () => {
    const emulated = new EmulatedHub({ maxDeliveryCount: 2 });
    const first = await emulated.device("dev", { clean: false, acknowledges: false });
    await first.subscribe(filter);
    const sent = emulated.hub.sendToDevice("dev", { payload: "", messageId: "a", ack: "full" });
    await first.messages.nth(1);
    await using _second = await emulated.device("dev", { clean: false });
    await sent.completed;
    expect(codes(emulated.hub.feedbackReceived)).toEqual([["a", "Success"]]);
  });

  test("comes once for each message, whatever happens to it later", async () => {
    const emulated = new EmulatedHub();
    await using device = await emulated.device();
    await device.subscribe(filter);
    await emulated.hub.sendToDevice("dev", { payload: "", ack: "full", timeToLiveMs: aMinute }).completed;
    await emulated.clock.advance(aMinute);
    expect(emulated.hub.purgeMessages("dev")).toBe(0);
    expect(emulated.hub.feedbackReceived).toHaveLength(1);
    expect(emulated.clock.pending).toHaveLength(1); // the token's end, and no message's
  });

  test("can be followed, for one device or all, until the emulator is closed", async () => {
    const { hub } = known();
    hub.addDevice({ deviceId: "other" });
    const seen: string[] = [];
    const following = (async () => {
      for await (const { deviceId } of hub.feedback({ deviceId: "other" })) seen.push(deviceId);
    })();
    for (const deviceId of ["dev", "other"]) {
      hub.sendToDevice(deviceId, { payload: "", ack: "full" });
      hub.purgeMessages(deviceId);
    }
    hub.close();
    await following;
    expect(seen).toEqual(["other"]);
  });

  test("tells two devices apart that had one id after the other", () => {
    const { hub } = known();
    for (let life = 0; life < 2; life++) {
      hub.sendToDevice("dev", { payload: "", ack: "full" });
      hub.removeDevice("dev");
      hub.addDevice({ deviceId: "dev" });
    }
    const [first, second] = hub.feedbackReceived.map(({ deviceGenerationId }) => deviceGenerationId);
    expect(first).not.toBe(second);
  });
});

describe("a message that says nothing about its life", () => {
  test("lives an hour, or as long as the hub's default", async () => {
    for (const [options, lifeMs] of [
      [{}, 60 * aMinute],
      [{ messageTimeToLiveMs: 2 * aMinute }, 2 * aMinute],
    ] as const) {
      const { hub, clock } = new EmulatedHub(options);
      hub.addDevice({ deviceId: "dev" });
      hub.sendToDevice("dev", { payload: "", ack: "full" });
      await clock.advance(lifeMs - 1);
      expect(hub.feedbackReceived).toEqual([]);
      await clock.advance(1);
      expect(hub.feedbackReceived).toHaveLength(1);
    }
  });

  test("is not delivered after that where the clock was set forward", async () => {
    const emulated = new EmulatedHub();
    await using device = await emulated.device();
    emulated.hub.sendToDevice("dev", { payload: "", ack: "full", timeToLiveMs: aMinute });
    emulated.clock.step(aMinute);
    await device.subscribe(filter);
    expect(codes(emulated.hub.feedbackReceived)).toMatchObject([[expect.any(String), "Expired"]]);
    expect(device.messages.all).toEqual([]);
  });
});
