import { describe, expect, test } from "vitest";
import { hubRoutes } from "../../../../src/emulator/https/hub-routes.ts";
import type { HubFault, HubStep } from "../../../../src/emulator/index.ts";
import { answerOf, askRoutes } from "../../../support/ask-routes.ts";
import { deviceKey, EmulatedHub } from "../../../support/emulated-hub.ts";
import { isPending } from "../../../support/is-pending.ts";

const telemetry = "devices/dev/messages/events/";
const read = "$iothub/twin/GET/?$rid=1";
const report = "$iothub/twin/PATCH/properties/reported/?$rid=2";
const aMinute = 60_000;

/** A hub with a connected device that listens for twin answers. */
async function connected() {
  const emulated = new EmulatedHub();
  const device = await emulated.device();
  await device.subscribe("$iothub/twin/res/#");
  return { emulated, device, hub: emulated.hub, faults: emulated.hub.faults };
}

/** A device that is in the registry of its hub, and not connected. */
function known() {
  const emulated = new EmulatedHub();
  emulated.hub.addDevice({ deviceId: "dev", authentication: { method: "symmetric_key", primaryKey: deviceKey } });
  return { emulated, hub: emulated.hub, faults: emulated.hub.faults };
}

describe("a CONNECT", () => {
  test.each([3, 5] as const)("is refused with %i as often as was scripted, and then let in", async (connack) => {
    const { emulated, faults } = known();
    faults.next("dev", "connect", { connack }, 2);
    await expect(emulated.device()).rejects.toBe(connack);
    await expect(emulated.device()).rejects.toBe(connack);
    await (await emulated.device()).leave();
    expect(emulated.events.of("hub.refused")).toMatchObject([{ reason: "as scripted" }, { code: connack }]);
  });

  test("of another device is none of its business", async () => {
    const { emulated, faults } = known();
    faults.next("DEV", "connect", { connack: 3 });
    faults.next("other", "connect", { connack: 3 });
    await (await emulated.device()).leave();
    expect([faults.pending, faults.served]).toEqual([2, []]);
  });

  test("is answered late, and takes nobody over before", async () => {
    const { emulated, faults, device } = await connected();
    faults.next("dev", "connect", { delayMs: 5000 });
    const later = emulated.device();
    await emulated.clock.sleeping(2); // one for the token of the first connection
    await emulated.clock.advance(4999);
    expect(emulated.broken).toEqual([]);
    await emulated.clock.advance(1);
    await device.closed;
    await (await later).leave();
    expect(emulated.broken).toEqual(["taken-over"]);
  });

  test.each<HubFault>(["drop", { cutAfterBytes: 0 }, { cutAfterBytes: 3 }])(
    "lets nobody in under %j",
    async (fault) => {
      const { emulated, faults } = known();
      faults.next("dev", "connect", fault);
      await expect(emulated.device()).rejects.toBe("closed");
      expect(emulated.events.of("hub.connected")).toEqual([]);
    },
  );

  test("is not answered under silence, and leaves no session", async () => {
    const { emulated, faults } = known();
    faults.next("dev", "connect", "silence");
    const unanswered = emulated.device("dev", { clean: false });
    expect(await isPending(unanswered)).toBe(true);
    unanswered.catch(() => {});
    await using device = await emulated.device("dev", { clean: false });
    expect(device.sessionPresent).toBe(false);
  });

  test("is refused by a clock that is ahead, and ends with its token by that clock", async () => {
    const { emulated, faults } = known(); // tokens of one hour
    faults.next("dev", "connect", { clockSkewMs: 61 * aMinute });
    await expect(emulated.device()).rejects.toBe(5);
    faults.next("dev", "connect", { clockSkewMs: 50 * aMinute });
    const device = await emulated.device();
    await emulated.clock.advance(10 * aMinute);
    await device.closed;
    expect(emulated.broken).toEqual(["credential-expired"]);
  });
});

describe("telemetry", () => {
  test("is acknowledged when its owner lets the PUBACK go", async () => {
    const { device, hub, faults } = await connected();
    faults.next("dev", "telemetry", "hold", 2);
    const sent = [device.publish(telemetry, "a"), device.publish(telemetry, "b")];
    await device.publish(telemetry, "c"); // those behind are acknowledged meanwhile
    expect(hub.received.map((message) => message.text())).toEqual(["a", "b", "c"]);
    expect(faults.held).toEqual(["dev", "dev"]);
    expect(await isPending(Promise.race(sent))).toBe(true);
    expect(faults.release("other")).toBe(0);
    expect(faults.release("dev")).toBe(2);
    await Promise.all(sent);
    expect([faults.held, faults.release()]).toEqual([[], 0]);
  });

  test("is held no longer than its connection", async () => {
    const { emulated, device, faults } = await connected();
    faults.next("dev", "telemetry", "hold");
    device.publish(telemetry, "a").catch(() => {});
    await emulated.events.next("hub.telemetry");
    device.client.stream.destroy();
    await emulated.events.next("hub.disconnected");
    expect(faults.held).toEqual([]);
  });

  test("is acknowledged late", async () => {
    const { emulated, device, faults } = await connected();
    faults.next("dev", "telemetry", { delayMs: 5000 });
    const sent = device.publish(telemetry, "a");
    await emulated.events.next("hub.telemetry");
    await emulated.clock.advance(4999);
    expect(await isPending(sent)).toBe(true);
    await emulated.clock.advance(1);
    await sent;
  });

  test("is lost under silence, and those behind it are not", async () => {
    const { device, hub, faults } = await connected();
    faults.next("dev", "telemetry", "silence");
    const lost = device.publish(telemetry, "lost");
    await device.publish(telemetry, "b");
    expect(await isPending(lost)).toBe(true);
    lost.catch(() => {});
    expect(hub.received.map((message) => message.text())).toEqual(["b"]);
  });

  test.each<[HubFault, 0 | 1, number]>([
    ["drop", 1, 0],
    ["drop", 0, 0],
    [{ cutAfterBytes: 2 }, 1, 1],
    [{ cutAfterBytes: 2 }, 0, 1],
  ])("ends its connection under %j with QoS %i, %i taken", async (fault, qos, taken) => {
    const { device, hub, faults } = await connected();
    faults.next("dev", "telemetry", fault);
    device.publish(telemetry, "a", qos).catch(() => {});
    await device.closed;
    expect(hub.received).toHaveLength(taken);
  });
});

describe("a twin request", () => {
  test.each([429, 500])("is answered with %i, and changes nothing", async (status) => {
    const { device, hub, faults } = await connected();
    faults.next("dev", "twin-get", { status });
    faults.next("dev", "twin-patch", { status, body: { errorCode: 429_003, message: "later" } });
    const got = await device.ask(read);
    expect(got.topic).toBe(`$iothub/twin/res/${status}/?$rid=1`);
    expect(JSON.parse(got.payload)).toMatchObject({ errorCode: status * 1000 + 1 });
    const patched = await device.ask(report, '{"a":1}');
    expect(patched).toMatchObject({ topic: `$iothub/twin/res/${status}/?$rid=2` });
    expect(JSON.parse(patched.payload)).toEqual({ errorCode: 429_003, message: "later" });
    expect(hub.twin("dev").reported).not.toHaveProperty("a");
    expect((await device.ask(report, '{"a":1}')).topic).toMatch(/^\$iothub\/twin\/res\/204\//);
  });

  test("is served and answered late, cut, malformed, or under another id", async () => {
    const { emulated, device, hub, faults } = await connected();
    faults.next("dev", "twin-patch", { delayMs: 5000 });
    await device.publish(report, '{"a":1}');
    await emulated.clock.advance(5000);
    expect((await device.messages.nth(1)).topic).toMatch(/204/);
    faults.next("dev", "twin-get", "malformed");
    const { payload } = await device.ask(read);
    expect(() => JSON.parse(payload)).toThrow(SyntaxError);
    faults.next("dev", "twin-get", "wrong-rid");
    expect((await device.ask(read)).topic).toMatch(/\$rid=1-other$/);
    faults.next("dev", "twin-patch", { cutAfterBytes: 9 });
    device.publish(report, '{"a":2}').catch(() => {});
    await device.closed;
    expect(hub.twin("dev").reported).toMatchObject({ a: 2 });
  });

  test("is lost under silence, or with its connection", async () => {
    const { device, hub, faults } = await connected();
    faults.next("dev", "twin-patch", "silence");
    await device.publish(report, '{"a":1}');
    await device.ask(read);
    faults.next("dev", "twin-patch", "drop");
    device.publish(report, '{"a":2}').catch(() => {});
    await device.closed;
    expect(hub.twin("dev").reported).not.toHaveProperty("a");
  });
});

describe("a file upload", () => {
  const begin = "POST /devices/dev/files?api-version=2021-04-12";
  const notify = "POST /devices/dev/files/notifications?api-version=2021-04-12";
  function asked() {
    const it = known();
    const headers = { authorization: it.emulated.token("dev"), host: it.hub.hostName };
    const routes = hubRoutes(it.hub);
    const ask = (line: typeof begin | typeof notify) => askRoutes(routes, line, { headers, body: '{"blobName":"a"}' });
    return { ...it, ask };
  }

  test("meets its faults at either request", () => {
    const { faults, ask } = asked();
    faults.next("dev", "file-upload", { status: 503, retryAfterSeconds: 7 });
    faults.next("dev", "file-notification", "drop");
    expect(answerOf(ask(begin))).toMatchObject({ status: 503, headers: { "retry-after": "7" } });
    expect(ask(notify)).toBe("drop");
    faults.next("dev", "file-upload", "silence");
    expect(ask(begin)).toBe("silence");
    faults.next("dev", "file-upload", "malformed");
    expect(() => answerOf(ask(begin))).toThrow(SyntaxError);
    faults.next("dev", "file-upload", { delayMs: 5 });
    expect(answerOf(ask(begin))).toMatchObject({ status: 200, delivery: { delayMs: 5 } });
    expect(answerOf(ask(begin)).delivery).toEqual({});
  });

  test("is judged and dated by a clock that is off", () => {
    const { faults, ask } = asked();
    faults.next("dev", "file-upload", { clockSkewMs: 61 * aMinute });
    expect(answerOf(ask(begin))).toMatchObject({ status: 401, headers: { date: "Thu, 01 Jan 2026 01:01:00 GMT" } });
    expect(answerOf(ask(begin))).toMatchObject({ status: 200, headers: { date: "Thu, 01 Jan 2026 00:00:00 GMT" } });
  });
});

test.each<[HubStep, HubFault]>([
  ["telemetry", { status: 429 }],
  ["twin-get", "hold"],
  ["twin-patch", "malformed"],
  ["twin-get", { clockSkewMs: 1 }],
  ["file-upload", { connack: 3 }],
])("there is no fault at %s that is %j", (step, fault) => {
  const { faults } = known();
  expect(() => faults.next("dev", step, fault)).toThrow(/cannot be scripted/);
});
