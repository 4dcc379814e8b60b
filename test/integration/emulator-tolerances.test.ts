import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { Emulator } from "../../src/emulator/index.ts";
import {
  answersFilter,
  dpsHost,
  FieldDevice,
  hubHost,
  registerPath,
  scope,
  type TokenForm,
  version,
} from "../support/field-device.ts";

/** What clients in the field send, each in its own way, and the services take all the same: one row each. */
const rows: readonly (readonly [number, string, (device: FieldDevice) => Promise<void>])[] = [
  [
    1,
    "a registration without a body is that of the client id",
    async (device) => {
      await using dps = await device.atDps();
      expect(await dps.register("")).toMatchObject({ status: 202 });
      expect(await dps.poll()).toMatchObject({ body: { registrationState: { registrationId: device.id } } });
    },
  ],
  [
    2,
    "whatever a poll carries is ignored",
    async (device) => {
      for (const body of [" ", "", JSON.stringify({ registrationId: device.id }), "{ no JSON"]) {
        await using dps = await device.atDps();
        await dps.register("");
        expect(await dps.poll({ body })).toMatchObject({ status: 200, body: { status: "assigned" } });
      }
    },
  ],
  [
    3,
    "a request id is any text, and may come twice",
    async (device) => {
      for (const rid of [randomUUID(), "7", "1"]) {
        await using dps = await device.atDps();
        await dps.register("", { rid });
        await dps.poll({ rid });
        expect(dps.topics.map((topic) => /\$rid=([^&]*)/.exec(topic)?.[1])).toEqual([rid, rid]);
      }
    },
  ],
  [
    4,
    "the resource of a token may be encoded or not, in upper or lower case",
    async (device) => {
      const lower = (text: string): string => encodeURIComponent(text).replaceAll(/%../g, (hex) => hex.toLowerCase());
      for (const encode of [(text: string): string => text, encodeURIComponent, lower]) {
        await using dps = await device.atDps({ password: device.dpsToken({ encode }) });
        expect(await dps.register("")).toMatchObject({ status: 202 });
        await using _ = await device.atHub({ password: device.hubToken({ encode }) });
      }
    },
  ],
  [
    5,
    "the fields of a token come in any order, the name of the key or not at all",
    async (device) => {
      const forms: readonly TokenForm[] = [
        ({ sr, sig, se }) => `sr=${sr}&sig=${sig}&skn=registration&se=${se}`,
        ({ sr, sig, se }) => `sr=${sr}&sig=${sig}&se=${se}&skn=registration`,
        ({ sr, sig, se }) => `sr=${sr}&sig=${sig}&se=${se}`,
        ({ sr, sig, se }) => `sr=${sr}&sig=${sig.replaceAll("%3D", "%3d")}&se=${se}`,
      ];
      for (const form of forms) {
        await using dps = await device.atDps({ password: device.dpsToken({ form }) });
        expect(await dps.register("")).toMatchObject({ status: 202 });
      }
    },
  ],
  [
    6,
    "the user name ends in a slash and the version at DPS, with a question mark at a hub; the client's version is anything",
    async (device) => {
      const versions = ["", "&ClientVersion=1.15.0", "&ClientVersion=azure-iot-provisioning-device%2F1.9.1"];
      for (const version of versions) {
        const username = `${scope}/registrations/${device.id}/api-version=2021-06-01${version}`;
        await using dps = await device.atDps({ username });
        expect(await dps.register("")).toMatchObject({ status: 202 });
      }
      await using _ = await device.atHub({ username: `${hubHost}/${device.id}/?api-version=2020-09-30` });
    },
  ],
  [
    7,
    "the subprotocol of a WebSocket comes back as it was offered, for DPS and hub",
    async (device) => {
      for (const name of [dpsHost, hubHost]) {
        for (const protocol of ["mqtt", "MQTT"]) {
          const webSocket = new WebSocket(`wss://${name}/$iothub/websocket`, protocol, {
            createConnection: () => device.dial(name),
          });
          await once(webSocket, "open");
          expect(webSocket.protocol).toBe(protocol);
          webSocket.close();
        }
      }
    },
  ],
  [
    8,
    "DPS keeps no session, whether it is asked to or not",
    async (device) => {
      for (const clean of [true, false, false]) {
        const connection = await device.connect(dpsHost, device.dpsOptions({ clean }));
        expect(connection.sessionPresent).toBe(false);
        await connection.publish(`${registerPath}?$rid=unheard`);
        await connection.subscribe(answersFilter);
        await connection.publish(`${registerPath}?$rid=heard`);
        expect((await connection.messages.nth(1)).topic).toContain("$rid=heard");
        await connection.leave();
      }
    },
  ],
  [
    9,
    "the keep-alive may be long or off",
    async (device) => {
      for (const keepalive of [180, 240, 0]) {
        await using dps = await device.atDps({ keepalive });
        expect(await dps.register("")).toMatchObject({ status: 202 });
      }
      const connected = emulator.events.of("dps.connected", ({ registrationId }) => registrationId === device.id);
      expect(connected.map(({ keepAliveSeconds }) => keepAliveSeconds)).toEqual([180, 240, 0]);
    },
  ],
  [
    10,
    "requests come with any delivery guarantee but the highest",
    async (device) => {
      for (const [first, second] of [
        [1, 1],
        [0, 0],
        [1, 0],
      ] as const) {
        await using dps = await device.atDps();
        expect(await dps.register("", { qos: first })).toMatchObject({ status: 202 });
        expect(await dps.poll({ qos: second })).toMatchObject({ status: 200 });
      }
    },
  ],
  [
    11,
    "a poll over HTTPS may have a body, or the port in its host, and the agent under another name",
    async (device) => {
      const path = `/${scope}/registrations/${device.id}`;
      const authorization = `Authorization: ${device.dpsToken()}`;
      const registered = await device.https(
        [`PUT ${path}/register?${version}`, `Host: ${dpsHost}`, authorization],
        "{}",
      );
      expect(registered.status).toBe(202);
      const poll = `GET ${path}/operations/${registered.body.operationId}?${version}`;
      for (const [headers, body] of [
        [[`Host: ${dpsHost}`, "Content-Type: application/json; charset=utf-8"], "{}"],
        [[`Host: ${dpsHost}:443`, "UserAgent: iothubclient/1.15.0"], ""],
      ] as const) {
        const polled = await device.https([poll, authorization, ...headers], body);
        expect(polled).toMatchObject({ status: 200, body: { status: "assigned" } });
      }
    },
  ],
  [
    12,
    "a device may write a plus sign for its id where it subscribes to messages",
    async (device) => {
      await using hub = await device.atHub();
      await hub.subscribe("devices/+/messages/devicebound/#");
      emulator.hub().sendToDevice(device.id, { payload: "hello" });
      expect(await hub.messages.nth(1)).toMatchObject({ payload: "hello" });
    },
  ],
  [
    13,
    "a twin is asked for with a body or without, and request ids are words that come again",
    async (device) => {
      await using hub = await device.atHub();
      await hub.subscribe("$iothub/twin/res/#");
      for (const body of [" ", ""]) {
        const { topic, payload } = await hub.ask("$iothub/twin/GET/?$rid=get_twin", body);
        expect(topic).toBe("$iothub/twin/res/200/?$rid=get_twin");
        expect(JSON.parse(payload)).toMatchObject({ desired: {}, reported: {} });
      }
      for (const version of [2, 3]) {
        const { topic } = await hub.ask(
          "$iothub/twin/PATCH/properties/reported/?$rid=reported_prop",
          `{"v":${version}}`,
        );
        expect(topic).toBe(`$iothub/twin/res/204/?$rid=reported_prop&$version=${version}`);
      }
    },
  ],
  [
    14,
    "no answer says unassigned: it is assigning, then assigned or failed",
    async (device) => {
      const said: unknown[] = [];
      for (const failure of [undefined, { errorCode: 400207, message: "Custom allocation failed." }]) {
        device.enrollment.update({ failure } as never);
        await using dps = await device.atDps();
        for (const answer of [await dps.register(""), await dps.poll()]) {
          said.push(answer.body.status, answer.body.registrationState && Object(answer.body.registrationState).status);
        }
      }
      expect(said).toEqual([
        "assigning",
        undefined,
        "assigned",
        "assigned",
        "assigning",
        undefined,
        "failed",
        "failed",
      ]);
    },
  ],
  [
    15,
    "the wait is a whole number of seconds, written retry-after in lower case",
    async (device) => {
      await using dps = await device.atDps();
      await dps.register("");
      expect(dps.topics[0]).toMatch(/^\$dps\/registrations\/res\/202\/\?\$rid=1&retry-after=3$/);
      await dps.poll();
      const path = `/${scope}/registrations/${device.id}/register?${version}`;
      const headers = [`PUT ${path}`, `Host: ${dpsHost}`, `Authorization: ${device.dpsToken()}`];
      expect((await device.https(headers, "")).head).toMatch(/\r\nretry-after: 3\r\n/);
    },
  ],
  [
    16,
    "the model id is not encoded in the user name",
    async (device) => {
      const model = "dtmi:com:example:Thermostat;1";
      const username = `${hubHost}/${device.id}/?api-version=2021-04-12&model-id=${model}&DeviceClientType=a%2F1`;
      await using _ = await device.atHub({ username });
      expect(emulator.hub().connections).toMatchObject([{ modelId: model, clientAgent: "a/1" }]);
    },
  ],
];

let emulator: Emulator;

beforeAll(async () => {
  emulator = await Emulator.start({ assigningPolls: 0, retryAfterSeconds: 3 });
});
afterAll(() => emulator.close());

describe("the emulator takes it that", () => {
  test.each(rows)("%i: %s", async (number, _, run) => run(new FieldDevice(emulator, `client-${number}`)));
});
