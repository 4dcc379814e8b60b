import { describe, expect, test } from "vitest";
import { dpsRoutes } from "../../../../src/emulator/https/dps-routes.ts";
import type { DpsFault, DpsStep } from "../../../../src/emulator/index.ts";
import { answerOf, askRoutes } from "../../../support/ask-routes.ts";
import { EmulatedDps, poll, register, takeApart } from "../../../support/emulated-dps.ts";

const registerTopic = "$dps/registrations/PUT/iotdps-register/?$rid=1";
const aMinute = 60_000;

/** An emulated DPS with one enrolled device and its key. */
function enrolled() {
  const emulated = new EmulatedDps();
  const key = emulated.dps.enroll({ registrationId: "dev", attestation: { method: "symmetric_key" } }).deviceKey();
  return { emulated, key, faults: emulated.dps.faults };
}

describe("a delayed answer", () => {
  test("to a registration comes when the emulator's clock has got there", async () => {
    const { emulated, key, faults } = enrolled();
    await using device = await emulated.connect("dev", { key });
    faults.next("dev", "register", { delayMs: 5000 });
    await device.publish(registerTopic);
    await emulated.clock.advance(4999);
    expect(device.messages.all).toEqual([]);
    await emulated.clock.advance(1);
    expect(takeApart(await device.messages.nth(1))).toMatchObject({ status: 202 });
    expect(emulated.events.of("dps.register").map(({ status }) => status)).toEqual([202]);
  });

  test("does not hold up the answers behind it", async () => {
    const { emulated, key, faults } = enrolled();
    await using device = await emulated.connect("dev", { key });
    faults.next("dev", "register", { delayMs: 5000 });
    await device.publish(registerTopic);
    expect(await poll(device, "4.0.nobody")).toMatchObject({ status: 404 });
  });

  test("to CONNECT holds back CONNACK", async () => {
    const { emulated, key, faults } = enrolled();
    faults.next("dev", "connect", { delayMs: 5000 });
    const connecting = emulated.connect("dev", { key });
    await emulated.clock.sleeping();
    expect(emulated.events.of("dps.connected")).toEqual([]);
    await emulated.clock.advance(5000);
    await (await connecting).leave();
    expect(emulated.events.of("dps.connected")).toHaveLength(1);
  });

  test("is dropped with its connection", async () => {
    const { emulated, key, faults } = enrolled();
    const device = await emulated.connect("dev", { key });
    faults.next("dev", "register", { delayMs: 5000 });
    await device.publish(registerTopic);
    expect(emulated.clock.pending).toEqual([5000]);
    await device.leave();
    await emulated.events.next("dps.disconnected");
    await emulated.clock.advance(0);
    expect(emulated.clock.pending).toEqual([]);
  });
});

describe("an answer that is cut", () => {
  test("is served, but does not arrive", async () => {
    const { emulated, key, faults } = enrolled();
    const device = await emulated.connect("dev", { key });
    faults.next("dev", "register", { cutAfterBytes: 20 });
    void device.publish(registerTopic).catch(() => {});
    await device.closed;
    expect(device.messages.all).toEqual([]);
    expect(emulated.events.of("dps.register").map(({ status }) => status)).toEqual([202]);
    expect((await emulated.events.next("dps.disconnected")).reason).toMatch(/after 20 bytes/);
  });

  test("arrives whole where it is shorter than that", async () => {
    const { emulated, key, faults } = enrolled();
    const device = await emulated.connect("dev", { key });
    faults.next("dev", "register", { cutAfterBytes: 10_000 });
    void device.publish(registerTopic).catch(() => {});
    expect(takeApart(await device.messages.nth(1))).toMatchObject({ status: 202 });
    await device.closed;
  });

  test.each([0, 2])("after %i bytes of CONNACK lets nobody in", async (cutAfterBytes) => {
    const { emulated, key, faults } = enrolled();
    faults.next("dev", "connect", { cutAfterBytes });
    await expect(emulated.connect("dev", { key })).rejects.toBe("closed");
    expect(emulated.events.of("dps.connected")).toEqual([]);
  });
});

describe("a service whose clock is off", () => {
  test("takes tokens for expired, for as many requests as were scripted, and dates its error by that clock", async () => {
    const { emulated, key, faults } = enrolled();
    await using device = await emulated.connect("dev", { key }); // a token of one hour
    faults.next("dev", "register", { clockSkewMs: 61 * aMinute }, 2);
    const tooLate = { status: 401, body: { errorCode: 401002, timestampUtc: "2026-01-01T01:01:00.0000000Z" } };
    expect(await register(device)).toMatchObject(tooLate);
    expect(await register(device)).toMatchObject(tooLate);
    expect(await register(device)).toMatchObject({ status: 202 });
  });

  test("takes expired tokens when it is behind", async () => {
    const { emulated, key, faults } = enrolled();
    await using device = await emulated.connect("dev", { key });
    await emulated.clock.advance(61 * aMinute);
    expect(await register(device)).toMatchObject({ status: 401 });
    faults.next("dev", "register", { clockSkewMs: -2 * aMinute });
    expect(await register(device)).toMatchObject({ status: 202 });
  });

  test("is off for a whole connection when it is so at CONNECT", async () => {
    const { emulated, key, faults } = enrolled();
    faults.next("dev", "connect", { clockSkewMs: 61 * aMinute });
    await using device = await emulated.connect("dev", { key });
    expect(await register(device)).toMatchObject({ status: 401 });
    expect(await register(device)).toMatchObject({ status: 401 });
    expect((await emulated.outcome("dev", { key })).status).toBe(200);
  });

  test("says so in the date of its answers over HTTPS, and in what it writes down", () => {
    const { emulated, key, faults } = enrolled();
    const routes = dpsRoutes(emulated.dps);
    const headers = { authorization: emulated.token("dev", key, 48 * 60 * aMinute) };
    const device = "/0ne00ABCDEF/registrations/dev";
    const put = () => answerOf(askRoutes(routes, `PUT ${device}/register?api-version=2021-06-01`, { headers }));
    expect(put().headers?.date).toBe("Thu, 01 Jan 2026 00:00:00 GMT");
    faults.next("dev", "register", { clockSkewMs: 24 * 60 * aMinute });
    const accepted = put();
    expect(accepted).toMatchObject({ status: 202, headers: { date: "Fri, 02 Jan 2026 00:00:00 GMT" } });
    faults.next("dev", "poll", { clockSkewMs: 24 * 60 * aMinute }, 2);
    const get = `GET ${device}/operations/${accepted.json.operationId}?api-version=2021-06-01` as const;
    askRoutes(routes, get, { headers });
    expect(answerOf(askRoutes(routes, get, { headers })).json).toMatchObject({
      registrationState: { lastUpdatedDateTimeUtc: "2026-01-02T00:00:00.0000000Z" },
    });
  });
});

describe("a script of faults", () => {
  test.each<[DpsStep, DpsFault, number, RegExp]>([
    ["connect", { status: 429 }, 1, /no status at the step connect/],
    ["register", { connack: 3 }, 1, /no connack at the step register/],
    ["look-up", "wrong-rid", 1, /no wrong-rid at the step look-up/],
    ["register", { status: 20 }, 1, /status: expected an integer from 200 to 599; found 20/],
    ["register", { status: 429, retryAfterSeconds: -1 }, 1, /retryAfterSeconds/],
    ["register", { delayMs: 0.5 }, 1, /delayMs/],
    ["register", { cutAfterBytes: -1 }, 1, /cutAfterBytes/],
    ["register", "drop", 0, /0 times/],
    ["register", {} as DpsFault, 1, /no known kind/],
  ])("takes no fault at %s that is %j, %i times", (step, fault, times, message) => {
    const { faults } = enrolled();
    const next = () => faults.next("dev", step, fault, times);
    expect(next).toThrow(
      expect.objectContaining({ code: "emulator.rejected", message: expect.stringMatching(message) }),
    );
    expect(faults.pending).toBe(0);
  });

  test("tells whose requests its faults were served to", async () => {
    const { emulated, key, faults } = enrolled();
    faults.next("*", "register", { delayMs: 0 });
    await using device = await emulated.connect("dev", { key });
    const asked = device.ask(registerTopic);
    await emulated.clock.sleeping();
    await emulated.clock.advance(0);
    await asked;
    expect(faults.served).toEqual([{ id: "dev", step: "register", fault: { delayMs: 0 } }]);
  });
});
