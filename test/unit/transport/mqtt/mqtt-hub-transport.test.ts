import { describe, expect, test } from "vitest";
import { type Deferred, deferred } from "../../../../src/deferred.ts";
import type { SasRequest } from "../../../../src/keys/credential.ts";
import { Secret } from "../../../../src/secret.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";
import { MqttHubTransport } from "../../../../src/transport/mqtt/mqtt-hub-transport.ts";
import type { MqttTransportOptions } from "../../../../src/transport/mqtt/options.ts";
import type { HubConnection, HubHandlers, HubIdentity } from "../../../../src/transport/transport.ts";
import { MemoryMqtt } from "../../../support/memory-mqtt.ts";
import type { MqttScript } from "../../../support/mqtt-peer.ts";
import { testCredential } from "../../../support/test-dialer.ts";

const route = { host: "contoso.azure-devices.net" };
const sensor: HubIdentity = { deviceId: "sensor-17", credential: testCredential };
const hello = { payload: new Uint8Array([1]) };

function setUp(script: MqttScript = {}, options: Partial<MqttTransportOptions> = {}) {
  const clock = new FakeClock();
  const dialer = new MemoryMqtt(script);
  const transport = new MqttHubTransport({ dialer, clock, clientName: "landfall/1.2.3", ...options });
  const connect = (handlers: HubHandlers = {}, identity = sensor): Promise<HubConnection> =>
    transport.connect(route, identity, handlers);
  return { clock, dialer, connect };
}

/** Delivers a cloud-to-device message; its body is what handlers are told apart by. */
function deliver(
  dialer: MemoryMqtt,
  messageId: number,
  body = `${messageId}`,
  more: { dup?: boolean; qos?: 0 | 1 } = {},
) {
  dialer.peer.publish("devices/sensor-17/messages/devicebound/", body, { qos: 1, messageId, ...more });
}

/** A handler whose work the test finishes, by body. */
function handlerInHand() {
  const started: string[] = [];
  const work = new Map<string, Deferred<void>>();
  const onMessage: HubHandlers["onMessage"] = ({ payload }) => {
    const body = Buffer.from(payload).toString();
    started.push(body);
    const done = deferred<void>();
    work.set(body, done);
    return done.promise;
  };
  return {
    onMessage,
    started,
    finish: (body: string) => work.get(body)?.resolve(),
    fail: (body: string) => work.get(body)?.reject(new Error("no")),
  };
}

/** Lets everything that was written reach the other side and be dealt with there. */
async function roundTrip(connection: HubConnection): Promise<void> {
  await connection.sendTelemetry(hello);
}

const acknowledged = (dialer: MemoryMqtt): (number | undefined)[] =>
  dialer.peer.all("puback").map(({ messageId }) => messageId);

describe("IoT Hub over MQTT", () => {
  test("introduces itself as a hub wants it", async () => {
    const asked: SasRequest[] = [];
    const credential: HubIdentity["credential"] = {
      kind: "sas",
      token: async (request) => {
        asked.push(request);
        return { text: new Secret("the token"), expiresAtMs: request.expiresAtMs - 1000 };
      },
    };
    const { clock, dialer, connect } = setUp({}, { tokenLifetimeMs: 600_000, keepAliveSeconds: 30 });
    await using connection = await connect(
      {},
      { deviceId: "sensor-17", credential, modelId: "dtmi:com:example:Thermostat;1" },
    );
    const [connected] = dialer.peer.all("connect");
    expect(connected).toMatchObject({
      protocolVersion: 4,
      clientId: "sensor-17",
      username:
        "contoso.azure-devices.net/sensor-17/?api-version=2021-04-12&DeviceClientType=landfall%2F1.2.3" +
        "&model-id=dtmi%3Acom%3Aexample%3AThermostat%3B1",
      clean: false,
      keepalive: 30,
    });
    expect(String(connected?.password)).toBe("the token");
    const expiresAtMs = clock.now() + 600_000;
    expect(asked).toEqual([{ resource: "contoso.azure-devices.net/devices/sensor-17", expiresAtMs }]);
    expect(connection.credentialExpiresAtMs).toBe(expiresAtMs - 1000);
    expect(connection.sessionPresent).toBe(false);
  });

  test("tells that the hub kept a session, and no expiry for a certificate", async () => {
    const { dialer, connect } = setUp({ sessionPresent: true });
    const identity = { certificateChain: "", secureContext: () => Promise.reject(new Error("not asked for here")) };
    await using connection = await connect(
      {},
      { deviceId: "sensor-17", credential: { kind: "certificate", identity } },
    );
    expect(connection.sessionPresent).toBe(true);
    expect(connection.credentialExpiresAtMs).toBeUndefined();
    expect(dialer.dials[0]?.options.identity).toBe(identity);
  });

  describe("subscribes", () => {
    const onMessage = async (): Promise<void> => {};
    const onMethod = async () => ({ status: 200 });
    const onDesired = (): void => {};

    test.each<[string, HubHandlers, string[]]>([
      ["to nothing without handlers", {}, []],
      ["to messages", { onMessage }, ["devices/sensor-17/messages/devicebound/#"]],
      ["to methods", { onMethod }, ["$iothub/methods/POST/#"]],
      ["to the twin", { onDesired }, ["$iothub/twin/PATCH/properties/desired/#", "$iothub/twin/res/#"]],
      [
        "to all in one packet",
        { onMessage, onMethod, onDesired },
        [
          "devices/sensor-17/messages/devicebound/#",
          "$iothub/methods/POST/#",
          "$iothub/twin/PATCH/properties/desired/#",
          "$iothub/twin/res/#",
        ],
      ],
    ])("%s", async (_, handlers, filters) => {
      const { dialer, connect } = setUp();
      await using _connection = await connect(handlers);
      const subscribed = dialer.peer
        .all("subscribe")
        .map(({ subscriptions }) => subscriptions.map(({ topic }) => topic));
      expect(subscribed).toEqual(filters.length === 0 ? [] : [filters]);
    });

    test("to twin answers when somebody first asks for the twin, and once only", async () => {
      const { dialer, connect } = setUp({
        onPublish: ({ topic }, peer) => {
          peer.publish(`$iothub/twin/res/200/?$rid=${topic.split("$rid=")[1]}`, '{"desired":{},"reported":{}}');
          return undefined;
        },
      });
      await using connection = await connect();
      await Promise.all([connection.getTwin(), connection.getTwin()]);
      await connection.getTwin();
      expect(dialer.peer.all("subscribe").map(({ subscriptions }) => subscriptions[0]?.topic)).toEqual([
        "$iothub/twin/res/#",
      ]);
    });
  });

  describe("acknowledges cloud-to-device messages", () => {
    test("in the order in which they came, whatever order they are finished in", async () => {
      const { onMessage, started, finish } = handlerInHand();
      const { dialer, connect } = setUp();
      await using connection = await connect({ onMessage });
      for (const id of [11, 12, 13]) deliver(dialer, id);
      await roundTrip(connection);
      expect(started).toEqual(["11", "12", "13"]);
      finish("13");
      finish("12");
      await roundTrip(connection);
      expect(acknowledged(dialer)).toEqual([]);
      finish("11");
      await roundTrip(connection);
      expect(acknowledged(dialer)).toEqual([11, 12, 13]);
    });

    test("never when their handling failed, without holding up those behind", async () => {
      const { onMessage, finish, fail } = handlerInHand();
      const { dialer, connect } = setUp();
      await using connection = await connect({ onMessage });
      deliver(dialer, 11);
      deliver(dialer, 12);
      await roundTrip(connection);
      finish("12");
      fail("11");
      await roundTrip(connection);
      expect(acknowledged(dialer)).toEqual([12]);
    });

    test("handled once and acknowledged once when they come again meanwhile", async () => {
      const { onMessage, started, finish } = handlerInHand();
      const { dialer, connect } = setUp();
      await using connection = await connect({ onMessage });
      deliver(dialer, 11);
      deliver(dialer, 11, "11", { dup: true });
      await roundTrip(connection);
      finish("11");
      await roundTrip(connection);
      expect(started).toEqual(["11"]);
      expect(acknowledged(dialer)).toEqual([11]);
    });

    test("handled again when they come again after a failure, or when the id is used anew", async () => {
      const { onMessage, started, finish, fail } = handlerInHand();
      const { dialer, connect } = setUp();
      await using connection = await connect({ onMessage });
      deliver(dialer, 11, "first");
      await roundTrip(connection);
      fail("first");
      await roundTrip(connection);
      deliver(dialer, 11, "again", { dup: true });
      await roundTrip(connection);
      finish("again");
      await roundTrip(connection);
      deliver(dialer, 11, "another");
      await roundTrip(connection);
      finish("another");
      await roundTrip(connection);
      expect(started).toEqual(["first", "again", "another"]);
      expect(acknowledged(dialer)).toEqual([11, 11]);
    });

    test("that a kept session delivers before the subscription is confirmed", async () => {
      const bodies: string[] = [];
      const { dialer, connect } = setUp({
        sessionPresent: true,
        onSubscribe: () => {
          deliver(dialer, 7, "kept");
          return 1;
        },
      });
      await using _ = await connect({
        onMessage: async ({ payload }) => void bodies.push(Buffer.from(payload).toString()),
      });
      await dialer.peer.nth("puback");
      expect(bodies).toEqual(["kept"]);
    });

    test("not at all at QoS 0, where a failing handler does no harm", async () => {
      const { dialer, connect } = setUp();
      await using connection = await connect({ onMessage: async () => Promise.reject(new Error("no")) });
      dialer.peer.publish("devices/sensor-17/messages/devicebound/", "");
      await roundTrip(connection);
      expect(acknowledged(dialer)).toEqual([]);
    });

    test("not when the handler throws instead of rejecting, and the connection goes on", async () => {
      const { dialer, connect } = setUp();
      await using connection = await connect({
        onMessage: () => {
          throw new Error("no");
        },
      });
      deliver(dialer, 11);
      await roundTrip(connection);
      expect(acknowledged(dialer)).toEqual([]);
    });

    test("not when they come while the connection is being closed", async () => {
      const { onMessage, started, finish } = handlerInHand();
      const { dialer, connect } = setUp();
      const connection = await connect({ onMessage });
      deliver(dialer, 11);
      await roundTrip(connection);
      const closing = connection.close();
      deliver(dialer, 12);
      await new Promise((resolve) => setImmediate(resolve));
      finish("11");
      await closing;
      expect(started).toEqual(["11"]);
      expect(acknowledged(dialer)).toEqual([11]);
    });

    test("not, nor handled, when they are still on their way in as the connection is destroyed", async () => {
      const { started, onMessage } = handlerInHand();
      const { dialer, connect } = setUp();
      const connection: HubConnection = await connect({
        onMessage: (message) => {
          connection.destroy();
          return onMessage(message);
        },
      });
      dialer.peer.stream.cork();
      deliver(dialer, 11);
      deliver(dialer, 12);
      dialer.peer.stream.uncork();
      await connection.ended;
      await new Promise((resolve) => setImmediate(resolve));
      expect(started).toEqual(["11"]);
    });

    test("not after the connection was destroyed under the handler", async () => {
      const { onMessage, finish } = handlerInHand();
      const { dialer, connect } = setUp();
      const connection = await connect({ onMessage });
      deliver(dialer, 11);
      await roundTrip(connection);
      const closing = connection.close();
      connection.destroy();
      await closing;
      finish("11");
      await new Promise((resolve) => setImmediate(resolve));
      expect(acknowledged(dialer)).toEqual([]);
    });
  });

  describe("answers a direct method", () => {
    const call = async (onMethod: HubHandlers["onMethod"], body: string) => {
      const { dialer, connect } = setUp();
      await using _ = await connect(onMethod ? { onMethod } : {});
      dialer.peer.publish("$iothub/methods/POST/reboot/?$rid=2b", body);
      const { topic, payload, qos } = await dialer.peer.nth("publish");
      return { topic, qos, body: String(payload) };
    };

    test("on the topic of its call, at QoS 0", async () => {
      const answer = await call(async () => ({ status: 201, payload: [1] }), "null");
      expect(answer).toEqual({ topic: "$iothub/methods/res/201/?$rid=2b", qos: 0, body: "[1]" });
    });

    test("with 400 when the payload is not JSON, without asking the handler", async () => {
      const answer = await call(() => Promise.reject(new Error("must not be asked")), "{");
      expect(answer.topic).toBe("$iothub/methods/res/400/?$rid=2b");
    });

    test("with 500 and nothing from inside when the handler fails", async () => {
      const answer = await call(async () => Promise.reject(new Error("at secret.ts:1")), "");
      expect(answer.topic).toBe("$iothub/methods/res/500/?$rid=2b");
      expect(answer.body).not.toContain("secret");
    });

    test("with 500 when the answer has no JSON form", async () => {
      const payload: unknown[] = [];
      payload.push(payload);
      const answer = await call(async () => ({ status: 200, payload: payload as never }), "");
      expect(answer.topic).toBe("$iothub/methods/res/500/?$rid=2b");
    });
  });

  describe("the twin", () => {
    const twinAnswering = (status: string, body: string): MqttScript => ({
      onPublish: ({ topic }, peer) => {
        if (topic.startsWith("$iothub/"))
          peer.publish(`$iothub/twin/res/${status.replace("RID", topic.split("$rid=")[1] ?? "")}`, body);
        return undefined;
      },
    });

    test.each([["not JSON"], ["[]"], ['{"desired":{}}'], ['{"desired":{},"reported":null}']])(
      "%j is not taken for one",
      async (body) => {
        const { connect } = setUp(twinAnswering("200/?$rid=RID", body));
        await using connection = await connect();
        await expect(connection.getTwin()).rejects.toMatchObject({ code: "transport.protocol" });
      },
    );

    test("a change without the version it led to is not taken for one", async () => {
      const { connect } = setUp(twinAnswering("204/?$rid=RID", ""));
      await using connection = await connect();
      await expect(connection.patchReported({})).rejects.toMatchObject({ code: "transport.protocol" });
    });

    test("a refusal carries what the hub says about it", async () => {
      const report = { errorCode: 400004, message: "Twin is too deep", trackingId: "5f0" };
      const { connect } = setUp(twinAnswering("400/?$rid=RID", JSON.stringify(report)));
      await using connection = await connect();
      await expect(connection.patchReported({})).rejects.toMatchObject({
        code: "hub.twin-rejected",
        message: expect.stringContaining("Twin is too deep"),
        service: { status: 400, ...report },
      });
    });

    test("silence ends a request after the time-out, not the connection", async () => {
      const { clock, connect } = setUp();
      await using connection = await connect({ onDesired: () => {} });
      const asking = connection.getTwin();
      asking.catch(() => {});
      await clock.sleeping(2);
      await clock.advance(30_000);
      await expect(asking).rejects.toMatchObject({ code: "transport.timeout" });
      await roundTrip(connection);
    });

    test.each([
      ["?$version=9", '{"fan":{"speed":3},"$version":9}', [{ version: 9, patch: { fan: { speed: 3 } } }]],
      ["", '{"fan":null,"$version":9}', [{ version: 9, patch: { fan: null } }]],
      ["?$version=9", "{", []],
      ["?$version=9", "[]", []],
      ["", "{}", []],
    ])("a change on %j with %s becomes %j", async (query, body, expected) => {
      const got: unknown[] = [];
      const { dialer, connect } = setUp();
      await using connection = await connect({ onDesired: (patch) => void got.push(patch) });
      dialer.peer.publish(`$iothub/twin/PATCH/properties/desired/${query}`, body);
      await roundTrip(connection);
      expect(got).toEqual(expected);
    });
  });

  test("properties that make a topic longer than MQTT can say are refused on this side", async () => {
    const { connect } = setUp();
    await using connection = await connect();
    const sending = connection.sendTelemetry({ ...hello, properties: { key: "€".repeat(10_000) } });
    await expect(sending).rejects.toMatchObject({ code: "transport.message-too-large" });
    await roundTrip(connection);
  });

  test("a publication on a topic that no hub uses does no harm", async () => {
    const { dialer, connect } = setUp();
    await using connection = await connect();
    dialer.peer.publish("$SYS/broker/uptime", "1", { qos: 1, messageId: 3 });
    await dialer.peer.nth("puback");
    await roundTrip(connection);
  });

  test("a peer that stops answering pings ends the connection with transport.timeout", async () => {
    const { clock, dialer, connect } = setUp({ answersPings: false }, { keepAliveSeconds: 60 });
    const connection = await connect();
    await clock.advance(60_000);
    await dialer.peer.nth("pingreq");
    await clock.advance(30_000);
    expect(await connection.ended).toMatchObject({ code: "transport.timeout" });
  });
});
