import { describe, expect, test } from "vitest";
import type { EnrollmentOptions } from "../../../../src/emulator/index.ts";
import { EmulatedDps, poll, register } from "../../../support/emulated-dps.ts";

const symmetric = { method: "symmetric_key" } as const;
const individual = (more: object = {}): EnrollmentOptions => ({
  registrationId: "dev",
  attestation: symmetric,
  ...more,
});

/** An emulated DPS with one individual enrollment, and the key to it. */
function enrolled(more: object = {}, options: ConstructorParameters<typeof EmulatedDps>[0] = {}) {
  const emulated = new EmulatedDps(options);
  const enrollment = emulated.dps.enroll(individual(more));
  return { emulated, enrollment, key: enrollment.deviceKey(), dps: emulated.dps };
}

const operationIdForm = /^4\.[0-9a-f]{16}\.[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const dateForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/;

describe("a registration", () => {
  test("goes from accepted over assigning to assigned, and says when to come back", async () => {
    const { emulated, key } = enrolled();
    const [accepted, assigning, assigned] = await emulated.register("dev", { key });
    expect(accepted).toMatchObject({ status: 202, retryAfter: "3", body: { status: "assigning" } });
    expect(accepted?.body).not.toHaveProperty("registrationState");
    expect(accepted?.body.operationId).toMatch(operationIdForm);
    expect(assigning).toMatchObject({
      status: 202,
      retryAfter: "3",
      body: { status: "assigning", registrationState: { registrationId: "dev", status: "assigning" } },
    });
    const { operationId } = accepted?.body ?? {};
    const registrationState = {
      registrationId: "dev",
      createdDateTimeUtc: expect.stringMatching(dateForm),
      assignedHub: expect.stringMatching(/^hub-[ab]\.azure-devices\.net$/),
      deviceId: "dev",
      status: "assigned",
      substatus: "initialAssignment",
      lastUpdatedDateTimeUtc: "2026-01-01T00:00:00.0000000Z",
      etag: expect.any(String),
      symmetricKey: {},
    };
    expect(assigned).toEqual({
      status: 200,
      retryAfter: undefined,
      body: { operationId, status: "assigned", registrationState },
    });
  });

  test.each([0, 1, 3])("is answered with assigning to %i polls before its result", async (assigningPolls) => {
    const { emulated, key } = enrolled({}, { assigningPolls });
    const statuses = (await emulated.register("dev", { key })).map(({ status }) => status);
    expect(statuses).toEqual([...Array(1 + assigningPolls).fill(202), 200]);
    expect(emulated.events.of("dps.register").map(({ status }) => status)).toEqual([202]);
    expect(emulated.events.of("dps.poll")).toHaveLength(assigningPolls + 1);
  });

  test("is not told when to come back where that is switched off", async () => {
    const { emulated, key } = enrolled({}, { retryAfterSeconds: 0 });
    expect((await emulated.register("dev", { key }))[0]).toMatchObject({ status: 202, retryAfter: undefined });
  });

  test("puts the device into its hub with its keys and its initial twin", async () => {
    const initialTwin = { desired: { interval: 5 }, tags: { site: "north" } };
    const { emulated, key, enrollment } = enrolled({ initialTwin, deviceId: "boiler", hubs: ["hub-b"] });
    expect(await emulated.outcome("dev", { key })).toMatchObject({
      body: { registrationState: { deviceId: "boiler" } },
    });
    const [hubA, hubB] = emulated.hubs;
    expect([hubA?.deviceIds, hubB?.deviceIds]).toEqual([[], ["boiler"]]);
    expect(hubB?.twin("boiler")).toMatchObject(initialTwin);
    expect(hubB?.registry.get("boiler")?.authentication).toEqual({
      kind: "symmetric_key",
      primaryKey: enrollment.primaryKey,
      secondaryKey: enrollment.secondaryKey,
    });
    expect(emulated.dps.registrations).toMatchObject([{ registrationId: "dev", hub: "hub-b", deviceId: "boiler" }]);
    expect(emulated.events.of("dps.assigned")).toMatchObject([{ hub: "hub-b", substatus: "initialAssignment" }]);
  });

  test("gets back a payload of the enrollment, or one that is made from what it sent", async () => {
    const payload = { serial: 7 };
    const fixed = enrolled({ payload: { hello: "device" } });
    expect(await fixed.emulated.outcome("dev", { key: fixed.key })).toMatchObject({
      body: { registrationState: { payload: { hello: "device" } } },
    });
    const made = enrolled({ payload: (request: object) => ({ request }), hubs: ["hub-a"] });
    const body = JSON.stringify({ registrationId: "dev", payload });
    const { body: outcome } = await made.emulated.outcome("dev", { key: made.key, body });
    const request = { registrationId: "dev", deviceId: "dev", hub: "hub-a", payload };
    expect(outcome).toMatchObject({ registrationState: { payload: { request } } });
    expect(made.emulated.events.of("dps.register")).toMatchObject([{ payload }]);
  });

  test("has no payload where none was wanted", async () => {
    const { emulated, key } = enrolled();
    expect((await emulated.outcome("dev", { key })).body.registrationState).not.toHaveProperty("payload");
  });

  test.each(["", " ", "{}", '{"registrationId":"DEV"}'])("takes the body %j", async (body) => {
    const { emulated, key } = enrolled();
    expect((await emulated.outcome("dev", { key, body })).status).toBe(200);
  });

  test.each([
    "{",
    "[]",
    "1",
    '{"registrationId":"other"}',
    '{"registrationId":{"toString":1}}',
    '{"registrationId":null}',
  ])("answers 400 to the body %j", async (body) => {
    const { emulated, key } = enrolled();
    expect(await emulated.outcome("dev", { key, body })).toMatchObject({ status: 400, body: { errorCode: 400004 } });
  });

  test("takes its id in whatever case", async () => {
    const { emulated, key } = enrolled();
    expect((await emulated.outcome("DEV", { key })).status).toBe(200);
    expect((await emulated.outcome("dev", { key })).status).toBe(200);
    expect(emulated.dps.registrations).toHaveLength(1);
  });

  test("makes one device of an id in two cases: as it was enrolled, or as a group saw it first", async () => {
    const { emulated, key } = enrolled();
    const group = emulated.dps.enroll({ group: "line", attestation: symmetric });
    await emulated.outcome("DEV", { key });
    for (const id of ["Member-1", "member-1"]) await emulated.outcome(id, { key: group.deviceKey(id) });
    expect(emulated.hubs.flatMap(({ deviceIds }) => deviceIds).sort()).toEqual(["Member-1", "dev"]);
  });

  test("ignores what a poll carries, takes one request id for all, and ends with the same answer however often it is asked", async () => {
    const { emulated, key } = enrolled();
    await using device = await emulated.connect("dev", { key });
    const { body } = await register(device);
    const operationId = String(body.operationId);
    const answers = [];
    for (const content of ["", " ", '{"registrationId":"dev"}', "nonsense"])
      answers.push(await poll(device, operationId, content));
    expect(answers.map(({ status }) => status)).toEqual([202, 200, 200, 200]);
    expect(answers[3]?.body).toEqual(answers[1]?.body);
  });

  test("has an operation that no other device and no other id finds", async () => {
    const { emulated, key, dps } = enrolled();
    const other = dps.enroll(individual({ registrationId: "other" }));
    await using device = await emulated.connect("dev", { key });
    await using stranger = await emulated.connect("other", { key: other.deviceKey() });
    const { body } = await register(device);
    const operationId = String(body.operationId);
    const notFound = { status: 404, body: { errorCode: 404203 } };
    expect(await poll(stranger, operationId)).toMatchObject(notFound);
    expect(await poll(device, "4.0.nobody")).toMatchObject(notFound);
    expect(await poll(device, "")).toMatchObject(notFound);
    expect(await poll(device, operationId)).toMatchObject({ status: 202 });
  });

  test("fails after it was accepted when the enrollment says so, or allows no hub that exists", async () => {
    const failing = enrolled({
      failure: { errorCode: 400207, message: "Custom allocation failed with status code: 400" },
    });
    const failed = await failing.emulated.outcome("dev", { key: failing.key });
    expect(failed).toMatchObject({
      status: 200,
      body: {
        status: "failed",
        registrationState: { status: "failed", errorCode: 400207, errorMessage: expect.stringMatching(/Custom/) },
      },
    });
    const homeless = enrolled({ hubs: ["hub-x"] });
    const outcome = await homeless.emulated.outcome("dev", { key: homeless.key });
    expect(outcome).toMatchObject({ body: { status: "failed", registrationState: { errorCode: 400208 } } });
    expect(homeless.dps.registrations).toEqual([]);
    expect(homeless.emulated.logged).toContainEqual(
      expect.objectContaining({
        level: "warn",
        message: expect.stringContaining("names hub-x; there are only the hubs"),
      }),
    );
  });

  test("fails when the function that makes its payload throws", async () => {
    const failing = enrolled({
      payload: () => {
        throw new Error("oops");
      },
    });
    const outcome = await failing.emulated.outcome("dev", { key: failing.key });
    expect(outcome).toMatchObject({ body: { status: "failed", registrationState: { errorCode: 400207 } } });
    expect(failing.emulated.logged.some(({ level, message }) => level === "error" && message.includes("oops"))).toBe(
      true,
    );
  });

  test("ends as disabled with a good credential for a disabled enrollment, and works again once it is enabled", async () => {
    const { emulated, key, enrollment } = enrolled({ disabled: true });
    const outcome = await emulated.outcome("dev", { key });
    expect(outcome).toMatchObject({
      status: 200,
      body: { status: "disabled", registrationState: { status: "disabled" } },
    });
    enrollment.update({ disabled: false });
    expect(await emulated.outcome("dev", { key })).toMatchObject({ body: { status: "assigned" } });
  });

  test("is not found once its enrollment is removed", async () => {
    const { emulated, key, enrollment, dps } = enrolled();
    expect(dps.unenroll(enrollment)).toBe(true);
    expect(dps.unenroll(enrollment)).toBe(false);
    expect(await emulated.outcome("dev", { key })).toMatchObject({ status: 404, body: { errorCode: 404201 } });
  });

  test("is refused for a registration id that breaks the rules", async () => {
    const { emulated } = enrolled();
    expect(await emulated.outcome("dev_", { key: "" })).toMatchObject({ status: 400, body: { errorCode: 400004 } });
  });
});

describe("a later registration", () => {
  test("stays at its hub", async () => {
    const { emulated, key } = enrolled();
    const first = await emulated.outcome("dev", { key });
    await emulated.clock.advance(60_000);
    const second = await emulated.outcome("dev", { key });
    const state = (answer: typeof first) => answer.body.registrationState as Record<string, unknown>;
    expect(state(second)).toMatchObject({
      assignedHub: state(first).assignedHub,
      substatus: "initialAssignment",
      createdDateTimeUtc: "2026-01-01T00:00:00.0000000Z",
      lastUpdatedDateTimeUtc: "2026-01-01T00:01:00.0000000Z",
    });
    expect(state(second).etag).not.toBe(state(first).etag);
  });

  async function moved(reprovisioning: "migrate" | "reset" | "never") {
    const it = enrolled({ hubs: ["hub-a"], reprovisioning, initialTwin: { desired: { interval: 5 } } });
    await it.emulated.outcome("dev", { key: it.key });
    const [hubA, hubB] = it.emulated.hubs;
    hubA?.updateDesired("dev", { interval: 60 });
    it.enrollment.update({ hubs: ["hub-b"] });
    const { body } = await it.emulated.outcome("dev", { key: it.key });
    const { assignedHub, substatus } = body.registrationState as Record<string, unknown>;
    return { assignedHub, substatus, atA: hubA?.deviceIds, atB: hubB?.deviceIds, hubA, hubB };
  }

  test("moves to the hub that the enrollment now says, and takes its twin along", async () => {
    const { hubA: _, hubB, ...outcome } = await moved("migrate");
    expect(outcome).toEqual({
      assignedHub: "hub-b.azure-devices.net",
      substatus: "deviceDataMigrated",
      atA: [],
      atB: ["dev"],
    });
    expect(hubB?.twin("dev").desired).toEqual({ interval: 60, $version: 2 });
  });

  test("moves and starts over where the enrollment wants that", async () => {
    const { hubA: _, hubB, ...outcome } = await moved("reset");
    expect(outcome).toEqual({
      assignedHub: "hub-b.azure-devices.net",
      substatus: "deviceDataReset",
      atA: [],
      atB: ["dev"],
    });
    expect(hubB?.twin("dev").desired).toEqual({ interval: 5, $version: 1 });
  });

  test("stays where it is where the enrollment never moves anybody", async () => {
    const { hubA, hubB: _, ...outcome } = await moved("never");
    expect(outcome).toEqual({
      assignedHub: "hub-a.azure-devices.net",
      substatus: "initialAssignment",
      atA: ["dev"],
      atB: [],
    });
    expect(hubA?.twin("dev").desired).toMatchObject({ interval: 60 });
  });
});

describe("the door of DPS", () => {
  test.each<[string, number, object]>([
    ["no user name", 5, { username: undefined }],
    ["a user name of a hub", 5, { username: "hub-a.azure-devices.net/dev/?api-version=2021-04-12" }],
    ["no api-version", 5, { username: "0ne00ABCDEF/registrations/dev/" }],
    ["a client id that is not the registration id", 2, { clientId: "other" }],
  ])("is closed to %s", async (_what, code, options) => {
    const { emulated } = enrolled();
    await expect(emulated.connect("dev", options)).rejects.toBe(code);
    expect(emulated.events.of("dps.refused")).toMatchObject([{ code }]);
  });

  test("is closed while DPS turns clients away", async () => {
    const { emulated, dps } = enrolled();
    dps.refuse("unavailable");
    await expect(emulated.connect("dev")).rejects.toBe(3);
    dps.refuse("unauthorized");
    await expect(emulated.connect("dev")).rejects.toBe(5);
    dps.refuse(undefined);
    await (await emulated.connect("dev")).leave();
  });

  test("keeps no session, whatever the client asks for", async () => {
    const { emulated } = enrolled();
    await (await emulated.connect("dev", { clean: false })).leave();
    await using again = await emulated.connect("dev", { clean: false });
    expect(again.sessionPresent).toBe(false);
  });

  test("stands open to two connections of one device, of which one can register at a time", async () => {
    const { emulated, key } = enrolled();
    await using first = await emulated.connect("dev", { key });
    await using second = await emulated.connect("DEV", { key });
    const { body } = await register(first);
    const conflict = { status: 412, body: { errorCode: 412001, message: "Precondition failed." } };
    expect(await register(second)).toMatchObject(conflict);
    const operationId = String(body.operationId);
    expect((await poll(first, operationId)).status).toBe(202);
    expect((await poll(first, operationId)).status).toBe(200);
    expect(await register(second)).toMatchObject({ status: 202 });
  });

  test("does not hold a device's own registrations against it, nor those of a connection that has ended", async () => {
    const { emulated, key } = enrolled();
    const first = await emulated.connect("dev", { key });
    expect([await register(first), await register(first)].map(({ status }) => status)).toEqual([202, 202]);
    first.client.stream.destroy();
    await emulated.events.next("dps.disconnected");
    expect((await emulated.outcome("dev", { key })).status).toBe(200);
  });

  test("tells nobody without the credential whether a registration is under way", async () => {
    const { emulated, key } = enrolled();
    await using first = await emulated.connect("dev", { key });
    await register(first);
    expect(await emulated.outcome("dev", { key: Buffer.alloc(32, 1).toString("base64") })).toMatchObject({
      status: 401,
    });
  });

  test("records who came, how, and why he left", async () => {
    const { emulated, key } = enrolled();
    await (await emulated.connect("dev", { key, clean: false, keepalive: 240 })).leave();
    const disconnected = await emulated.events.next("dps.disconnected");
    expect(emulated.events.of("dps.connected")).toMatchObject([
      { registrationId: "dev", transport: "mqtt", credential: "sas", cleanSession: false, keepAliveSeconds: 240 },
    ]);
    expect(disconnected).toMatchObject({ registrationId: "dev", reason: "the client disconnected" });
  });

  test.each<[string, string, (device: Awaited<ReturnType<EmulatedDps["connect"]>>) => Promise<void>]>([
    ["another topic", "unknown-topic", (device) => device.publish("devices/dev/messages/events/")],
    [
      "a request without an id",
      "missing-request-id",
      (device) => device.publish("$dps/registrations/PUT/iotdps-register/"),
    ],
    ["another filter", "unknown-filter", (device) => device.subscribe("$dps/registrations/#")],
    ["QoS 2", "qos-2", (device) => device.publish("$dps/registrations/PUT/iotdps-register/?$rid=1", "", 2)],
    [
      "a body of more than 98 304 bytes",
      "message-too-large",
      (device) => device.publish("$dps/registrations/PUT/iotdps-register/?$rid=1", Buffer.alloc(98_305)),
    ],
  ])("is shut on whoever breaks a rule: %s", async (_what, rule, act) => {
    const { emulated } = enrolled();
    const device = await emulated.connect("dev");
    void act(device).catch(() => {});
    await device.closed;
    expect(emulated.events.of("rule.broken")).toMatchObject([{ rule, service: "dps", clientId: "dev" }]);
  });

  test("gives its answers back under the request id letter by letter, and to nobody who does not listen", async () => {
    const { emulated, key } = enrolled();
    await using device = await emulated.connect("dev", { key });
    const { topic } = await device.ask("$dps/registrations/PUT/iotdps-register/?$rid=a%2Fb%2bc");
    expect(topic).toBe("$dps/registrations/res/202/?$rid=a%2Fb%2bc&retry-after=3");
    await device.client.unsubscribeAsync("$dps/registrations/res/#");
    await device.publish("$dps/registrations/PUT/iotdps-register/?$rid=2");
    await device.subscribe("$dps/registrations/res/#");
    expect(device.messages.all).toHaveLength(1);
  });
});

describe("a scripted fault", () => {
  test("answers the next request of that device and step, and no other", async () => {
    const { emulated, key, dps } = enrolled();
    dps.faults.next("DEV", "register", { status: 429, retryAfterSeconds: 5 }, 2);
    dps.faults.next("dev", "poll", { status: 500, body: { errorCode: 500001, message: "sorry" } });
    dps.faults.next("other", "register", { status: 503 });
    await using device = await emulated.connect("dev", { key });
    expect(await register(device)).toMatchObject({ status: 429, retryAfter: "5", body: { errorCode: 429001 } });
    expect(await register(device)).toMatchObject({ status: 429 });
    const { body } = await register(device);
    const operationId = String(body.operationId);
    expect(await poll(device, operationId)).toMatchObject({
      status: 500,
      body: { errorCode: 500001, message: "sorry" },
    });
    expect(await poll(device, operationId)).toMatchObject({ status: 202 });
    expect(dps.faults.served.map(({ step, fault }) => [step, (fault as { status: number }).status])).toEqual([
      ["register", 429],
      ["register", 429],
      ["poll", 500],
    ]);
    expect(dps.faults.pending).toBe(1);
    dps.faults.clear();
    expect(dps.faults.pending).toBe(0);
    expect(emulated.events.of("dps.register").map(({ status }) => status)).toEqual([429, 429, 202]);
  });

  test("can be for anybody, after the device's own", async () => {
    const { emulated, key, dps } = enrolled();
    dps.faults.next("*", "register", { status: 503 });
    dps.faults.next("dev", "register", { status: 429 });
    await using device = await emulated.connect("dev", { key });
    expect([await register(device), await register(device)].map(({ status }) => status)).toEqual([429, 503]);
  });

  test("keeps silent, malforms, or answers under another id", async () => {
    const { emulated, key, dps } = enrolled();
    await using device = await emulated.connect("dev", { key });
    dps.faults.next("dev", "register", "silence");
    await device.publish("$dps/registrations/PUT/iotdps-register/?$rid=0");
    dps.faults.next("dev", "register", "malformed");
    expect(device.messages.all).toEqual([]);
    const malformed = await device.ask("$dps/registrations/PUT/iotdps-register/?$rid=1");
    expect(() => JSON.parse(malformed.payload)).toThrow(SyntaxError);
    dps.faults.next("dev", "register", "wrong-rid");
    const { topic } = await device.ask("$dps/registrations/PUT/iotdps-register/?$rid=2");
    expect(topic).toMatch(/^\$dps\/registrations\/res\/202\/\?\$rid=(?!2&)/);
    expect(emulated.events.of("dps.register").map(({ status }) => status)).toEqual([0, 202, 202]);
  });

  test("sends a body as it is", async () => {
    const { emulated, key, dps } = enrolled();
    await using device = await emulated.connect("dev", { key });
    dps.faults.next("dev", "register", { status: 200, body: "<html>" });
    expect((await device.ask("$dps/registrations/PUT/iotdps-register/?$rid=1")).payload).toBe("<html>");
  });

  test("cuts the connection at a request or at CONNECT, or refuses there", async () => {
    const { emulated, key, dps } = enrolled();
    const device = await emulated.connect("dev", { key });
    dps.faults.next("dev", "register", "drop");
    void device.publish("$dps/registrations/PUT/iotdps-register/?$rid=1").catch(() => {});
    await device.closed;
    dps.faults.next("dev", "connect", "drop");
    await expect(emulated.connect("dev", { key })).rejects.toBe("closed");
    dps.faults.next("dev", "connect", { connack: 3 });
    await expect(emulated.connect("dev", { key })).rejects.toBe(3);
    expect((await emulated.outcome("dev", { key })).status).toBe(200);
  });

  test("keeps silent at CONNECT, as all of a silent DPS does", async () => {
    const { emulated, key, dps } = enrolled();
    let connected = 0;
    dps.faults.next("dev", "connect", "silence");
    void emulated.connect("dev", { key }).then(
      () => connected++,
      () => {},
    );
    await emulated.clock.advance(0);
    dps.silent(true);
    void emulated.connect("dev", { key }).then(
      () => connected++,
      () => {},
    );
    await emulated.clock.advance(0);
    expect(connected).toBe(0);
    dps.silent(false);
    await (await emulated.connect("dev", { key })).leave();
  });
});
