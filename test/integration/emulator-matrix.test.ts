import { Agent, request } from "node:https";
import { beforeAll, describe, expect, test } from "vitest";
import {
  CertificateAuthority,
  deriveDeviceKey,
  Emulator,
  type EmulatorOptions,
  type EnrollmentOptions,
  type IssuedCertificate,
} from "../../src/emulator/index.ts";
import type { JsonObject } from "../../src/json.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { type Answered, poll, register } from "../support/emulated-dps.ts";
import {
  type Dial,
  ForeignDevice,
  type ForeignOptions,
  overTls,
  overWebSocket,
  sasToken,
} from "../support/foreign-device.ts";

const registrationId = "press-07";
const scope = "0ne00ABCDEF";
const dpsHost = "global.azure-devices-provisioning.net";
const hubHost = "hub-a.azure-devices.net";
const [key, groupKey, foreignKey] = [1, 2, 3].map((byte) => Buffer.alloc(32, byte).toString("base64")) as [
  string,
  string,
  string,
];

/* -------------------------------------------------- transports --------------------------------------------------- */

/** What a device proves itself with. */
interface Identity {
  readonly key?: string;
  readonly certificate?: IssuedCertificate;
}

/** A device that talks to DPS in one way. */
interface Conversation extends AsyncDisposable {
  register(): Promise<Answered>;
  poll(operationId: string): Promise<Answered>;
}

type Carrier = (emulator: Emulator, dial: Dial) => ReturnType<typeof overTls>;

const carriers: Readonly<Record<string, Carrier>> = {
  MQTT: overTls,
  "MQTT over WebSocket as mqtt": (emulator, dial) => overWebSocket(emulator, dial, { protocol: "mqtt" }),
  "MQTT over WebSocket as MQTT": (emulator, dial) => overWebSocket(emulator, dial, { protocol: "MQTT" }),
};

async function overMqtt(carrier: Carrier, emulator: Emulator, identity: Identity): Promise<Conversation> {
  const dial = { servername: dpsHost, ...(identity.certificate ? { identity: identity.certificate } : {}) };
  const username = `${scope}/registrations/${registrationId}/api-version=2019-03-31`;
  const password = tokenOf(identity);
  const options = { clientId: registrationId, username, ...(password === undefined ? {} : { password }) };
  const device = await ForeignDevice.connect(carrier(emulator, dial), options);
  await device.subscribe("$dps/registrations/res/#");
  return {
    register: () => register(device),
    poll: (operationId) => poll(device, operationId),
    [Symbol.asyncDispose]: () => device[Symbol.asyncDispose](),
  };
}

async function overHttps({ ready, authority }: Emulator, identity: Identity): Promise<Conversation> {
  const { certificate } = identity;
  const agent = new Agent({ keepAlive: true });
  const options = {
    agent,
    host: "127.0.0.1",
    port: ready.wsPort,
    servername: dpsHost,
    ca: authority.certificatePem,
    ...(certificate === undefined ? {} : { cert: certificate.chainPem, key: certificate.privateKeyPem }),
    headers: { "content-type": "application/json", ...headersOf(identity) },
  };
  const ask = (method: string, path: string, body: string): Promise<Answered> =>
    new Promise((resolve, reject) => {
      const whole = `/${scope}/registrations/${registrationId}${path}?api-version=2021-06-01`;
      // Node gives the body of a GET no length of itself.
      const headers = { ...options.headers, "content-length": Buffer.byteLength(body) };
      const sent = request({ ...options, headers, method, path: whole }, async (response) => {
        let text = "";
        for await (const chunk of response) text += chunk;
        const { statusCode = 0, headers } = response;
        resolve({ status: statusCode, retryAfter: headers["retry-after"], body: JSON.parse(text) as JsonObject });
      });
      sent.on("error", reject);
      sent.end(body);
    });
  return {
    register: () => ask("PUT", "/register", JSON.stringify({ registrationId })),
    poll: (operationId) => ask("GET", `/operations/${operationId}`, "{}"),
    [Symbol.asyncDispose]: async () => agent.destroy(),
  };
}

function tokenOf({ key: own }: Identity): string | undefined {
  const about = { expiresAtMs: Date.now() + 3_600_000, tail: "&skn=registration" };
  return own === undefined ? undefined : sasToken(`${scope}/registrations/${registrationId}`, own, about);
}

function headersOf(identity: Identity): { readonly authorization?: string } {
  const authorization = tokenOf(identity);
  return authorization === undefined ? {} : { authorization };
}

type Transport = (emulator: Emulator, identity: Identity) => Promise<Conversation>;

const transports: Readonly<Record<string, Transport>> = {
  ...Object.fromEntries(
    Object.entries(carriers).map(([name, carrier]): [string, Transport] => [
      name,
      (emulator, identity) => overMqtt(carrier, emulator, identity),
    ]),
  ),
  HTTPS: overHttps,
};

/* -------------------------------------------------- attestations ------------------------------------------------- */

/** An enrollment, the device that belongs to it, and one that only says so. */
interface Attestation {
  readonly enrollment: EnrollmentOptions;
  readonly device: Identity;
  readonly impostor: Identity;
}

async function certificates(): Promise<Readonly<Record<"leaf" | "chain", IssuedCertificate>> & { rootPem: string }> {
  const root = await CertificateAuthority.create({ commonName: "Plant root" });
  const line = await root.issueAuthority({ commonName: "Line 1" });
  const wanted = { commonName: registrationId, usage: "client" } as const;
  return { leaf: await root.issue(wanted), chain: await line.issue(wanted), rootPem: root.certificatePem };
}

async function attestationsOf(): Promise<Readonly<Record<string, Attestation>>> {
  const [own, foreign] = [await certificates(), await certificates()];
  return {
    "symmetric key of the device": {
      enrollment: { registrationId, attestation: { method: "symmetric_key", primaryKey: key } },
      device: { key },
      impostor: { key: foreignKey },
    },
    "symmetric key of a group": {
      enrollment: { group: "line-1", attestation: { method: "symmetric_key", primaryKey: groupKey } },
      device: { key: deriveDeviceKey(groupKey, registrationId) },
      impostor: { key: groupKey },
    },
    "X.509 leaf": {
      enrollment: { registrationId, attestation: { method: "x509", certificate: own.leaf.certificatePem } },
      device: { certificate: own.leaf },
      impostor: { certificate: foreign.leaf },
    },
    "X.509 chain": {
      enrollment: { group: "plant", attestation: { method: "x509", certificate: own.rootPem } },
      device: { certificate: own.chain },
      impostor: { certificate: foreign.chain },
    },
  };
}

const attestationNames = ["symmetric key of the device", "symmetric key of a group", "X.509 leaf", "X.509 chain"];

/* ---------------------------------------------------- outcomes --------------------------------------------------- */

/** One emulator, and a device's way to it. */
interface Scene {
  readonly emulator: Emulator;
  readonly attestation: Attestation;
  /** Opens a conversation as the device, or as somebody else. */
  converse(identity?: Identity): Promise<Conversation>;
  enroll(more?: Partial<EnrollmentOptions>): ReturnType<Emulator["dps"]["enroll"]>;
}

/** A registration to its end: every answer in order. */
async function wholeRegistration(conversation: Conversation): Promise<readonly Answered[]> {
  const all = [await conversation.register()];
  while (all.at(-1)?.status === 202) all.push(await conversation.poll(String(all[0]?.body.operationId)));
  return all;
}

const assignedAfter = (polls: number) => async (scene: Scene) => {
  scene.enroll({ hubs: ["hub-a"] });
  await using conversation = await scene.converse();
  const all = await wholeRegistration(conversation);
  expect(all.map(({ status }) => status)).toEqual([202, ...Array(polls).fill(202), 200]);
  expect(all.map(({ retryAfter }) => retryAfter)).toEqual([...Array(polls + 1).fill("3"), undefined]);
  expect(all.at(-1)?.body).toMatchObject({
    status: "assigned",
    registrationState: {
      registrationId,
      assignedHub: hubHost,
      deviceId: registrationId,
      substatus: "initialAssignment",
    },
  });
};

const outcomes: readonly (readonly [string, EmulatorOptions, (scene: Scene) => Promise<void>])[] = [
  ["assigned at once", { assigningPolls: 0 }, assignedAfter(0)],
  ["assigned after 1 poll", { assigningPolls: 1 }, assignedAfter(1)],
  ["assigned after 3 polls", { assigningPolls: 3 }, assignedAfter(3)],
  [
    "429 with a wait at the registration",
    {},
    async ({ emulator, enroll, converse }) => {
      enroll();
      emulator.dps.faults.next(registrationId, "register", { status: 429, retryAfterSeconds: 7 });
      await using conversation = await converse();
      expect(await conversation.register()).toMatchObject({
        status: 429,
        retryAfter: "7",
        body: { errorCode: 429001 },
      });
      expect(await conversation.register()).toMatchObject({ status: 202 });
    },
  ],
  [
    "429 without a wait at a poll",
    { assigningPolls: 0 },
    async ({ emulator, enroll, converse }) => {
      enroll();
      emulator.dps.faults.next(registrationId, "poll", { status: 429 });
      await using conversation = await converse();
      const operationId = String((await conversation.register()).body.operationId);
      const refused = await conversation.poll(operationId);
      expect(refused).toMatchObject({ status: 429, body: { errorCode: 429001 } });
      expect(refused.retryAfter).toBeUndefined();
      expect(await conversation.poll(operationId)).toMatchObject({ status: 200, body: { status: "assigned" } });
    },
  ],
  [
    "failed with 400207",
    {},
    async ({ enroll, converse }) => {
      enroll({ failure: { errorCode: 400207, message: "Custom allocation failed with status code: 400" } });
      await using conversation = await converse();
      expect((await wholeRegistration(conversation)).at(-1)).toMatchObject({
        status: 200,
        body: { status: "failed", registrationState: { status: "failed", errorCode: 400207 } },
      });
    },
  ],
  [
    "401002 for an impostor",
    {},
    async ({ enroll, converse, attestation }) => {
      enroll();
      await using conversation = await converse(attestation.impostor);
      const refused = await conversation.register();
      expect(refused).toMatchObject({ status: 401, body: { errorCode: 401002, trackingId: expect.any(String) } });
      expect(refused.body).not.toHaveProperty("authenticationKey");
    },
  ],
  [
    "404201 for nobody's device",
    {},
    async ({ converse }) => {
      await using conversation = await converse();
      expect(await conversation.register()).toMatchObject({ status: 404, body: { errorCode: 404201 } });
    },
  ],
  [
    "another hub at the next registration",
    {},
    async ({ enroll, converse, emulator }) => {
      const enrollment = enroll({ hubs: ["hub-a"] });
      await using conversation = await converse();
      await wholeRegistration(conversation);
      enrollment.update({ hubs: ["hub-b"] });
      expect((await wholeRegistration(conversation)).at(-1)).toMatchObject({
        body: { registrationState: { assignedHub: "hub-b.azure-devices.net", substatus: "deviceDataMigrated" } },
      });
      expect(emulator.hubs.map(({ deviceIds }) => deviceIds)).toEqual([[], [registrationId]]);
    },
  ],
  [
    "disabled",
    {},
    async ({ enroll, converse }) => {
      enroll({ disabled: true });
      await using conversation = await converse();
      expect((await wholeRegistration(conversation)).at(-1)).toMatchObject({
        status: 200,
        body: { status: "disabled" },
      });
    },
  ],
];

describe.each(Object.keys(transports))("a registration over %s", (transportName) => {
  let attestations: Readonly<Record<string, Attestation>>;
  beforeAll(async () => {
    attestations = await attestationsOf();
  });

  describe.each(attestationNames)("by %s", (attestationName) => {
    test.each(outcomes)("ends as: %s", async (_, options, run) => {
      const attestation = attestations[attestationName] as Attestation;
      await using emulator = await Emulator.start({ hubs: ["hub-a", "hub-b"], retryAfterSeconds: 3, ...options });
      await run({
        emulator,
        attestation,
        converse: (identity = attestation.device) => (transports[transportName] as Transport)(emulator, identity),
        enroll: (more = {}) => emulator.dps.enroll({ ...attestation.enrollment, ...more } as EnrollmentOptions),
      });
    });
  });
});

/* ------------------------------------------------------- hub ----------------------------------------------------- */

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
