import { createRequire } from "node:module";
import { format } from "node:util";
import { describe, expect, test } from "vitest";
import type { LandfallError } from "../../../../src/errors.ts";
import type { SasRequest } from "../../../../src/keys/credential.ts";
import { createLogger, type LogRecord } from "../../../../src/log.ts";
import { Secret } from "../../../../src/secret.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";
import { MqttDpsTransport } from "../../../../src/transport/mqtt/mqtt-dps-transport.ts";
import type { MqttTransportOptions } from "../../../../src/transport/mqtt/options.ts";
import type { DpsChannel, DpsIdentity } from "../../../../src/transport/transport.ts";
import { MemoryMqtt } from "../../../support/memory-mqtt.ts";
import type { MqttScript } from "../../../support/mqtt-peer.ts";
import { testCredential } from "../../../support/test-dialer.ts";

const route = { host: "global.azure-devices-provisioning.net" };
const sensor: DpsIdentity = { idScope: "0ne00ABCDEF", registrationId: "sensor-17", credential: testCredential };

function setUp(script: MqttScript = {}, options: Partial<MqttTransportOptions> = {}) {
  const clock = new FakeClock();
  const dialer = new MemoryMqtt(script);
  const transport = new MqttDpsTransport({ dialer, clock, clientName: "landfall/1.2.3", ...options });
  const connect = (identity: DpsIdentity = sensor): Promise<DpsChannel> => transport.connect(route, identity);
  return { clock, dialer, transport, connect };
}

/** Sends a request and hands over the id that it carries. */
async function requestIdOf(dialer: MemoryMqtt, count = 1): Promise<string> {
  const { topic } = await dialer.peer.nth("publish", count);
  return /\$rid=([^&]+)/.exec(topic)?.[1] ?? "";
}

describe("DPS over MQTT", () => {
  test("introduces itself as DPS wants it", async () => {
    const asked: SasRequest[] = [];
    const credential: DpsIdentity["credential"] = {
      kind: "sas",
      token: async (request) => {
        asked.push(request);
        return { text: new Secret("the token"), expiresAtMs: request.expiresAtMs };
      },
    };
    const { clock, dialer, connect } = setUp();
    await using _ = await connect({ ...sensor, credential });
    const [connected] = dialer.peer.all("connect");
    expect(connected).toMatchObject({
      protocolVersion: 4,
      clientId: "sensor-17",
      username: "0ne00ABCDEF/registrations/sensor-17/api-version=2019-03-31&ClientVersion=landfall%2F1.2.3",
      clean: true,
      keepalive: 240,
    });
    expect(String(connected?.password)).toBe("the token");
    expect(asked).toEqual([
      {
        resource: "0ne00ABCDEF/registrations/sensor-17",
        keyName: "registration",
        expiresAtMs: clock.now() + 3_600_000,
      },
    ]);
    expect(dialer.peer.all("subscribe")[0]?.subscriptions).toMatchObject([
      { topic: "$dps/registrations/res/#", qos: 1 },
    ]);
    expect(dialer.dials[0]?.target).toEqual({ ...route, port: 8883, proxy: "never" });
  });

  test("shows no token with DEBUG=mqtt*, and lets the MQTT client say nothing at all", async () => {
    const required = createRequire(import.meta.url);
    const debug = createRequire(required.resolve("mqtt"))("debug") as {
      enable(names: string): void;
      disable(): string;
      log(...line: unknown[]): void;
    };
    const lines: string[] = [];
    const { log } = debug;
    debug.log = (...line) => void lines.push(format(...line));
    debug.enable("mqtt*,-mqtt-packet:parser"); // the peer's parser does show what it gets
    const token = async () => ({ text: new Secret("the token"), expiresAtMs: 0 });
    try {
      const { connect } = setUp();
      await using _ = await connect({ ...sensor, credential: { kind: "sas", token } });
    } finally {
      debug.disable();
      debug.log = log;
    }
    expect(lines.filter((line) => line.includes("the token"))).toEqual([]);
    expect(lines.filter((line) => line.includes("mqttjs"))).toEqual([]);
    expect(lines.join()).toContain("registrations/sensor-17"); // so that it is seen to look at something
  });

  test("presents a certificate in TLS and no password in CONNECT", async () => {
    const { dialer, connect } = setUp();
    const identity = { certificateChain: "", secureContext: () => Promise.reject(new Error("not asked for here")) };
    await using _ = await connect({ ...sensor, credential: { kind: "certificate", identity } });
    expect(dialer.dials[0]?.options.identity).toBe(identity);
    expect(dialer.peer.all("connect")[0]?.password).toBeUndefined();
  });

  test("refuses to connect without a credential: there is no way to take a challenge", async () => {
    const { transport } = setUp();
    const { credential: _, ...nobody } = sensor;
    expect(transport.abilities.challenge).toBe(false);
    await expect(transport.connect(route, nobody)).rejects.toMatchObject({ code: "attestation.unsupported-pair" });
  });

  test("hands on what keeps a token from being made, before anything is dialled", async () => {
    const { dialer, connect } = setUp();
    const broken = new Error("the key is gone");
    const credential: DpsIdentity["credential"] = { kind: "sas", token: () => Promise.reject(broken) };
    await expect(connect({ ...sensor, credential })).rejects.toBe(broken);
    expect(dialer.dials).toEqual([]);
  });

  test.each([
    [1, "transport.refused"],
    [2, "transport.identifier-rejected"],
    [3, "transport.unavailable"],
    [4, "transport.unauthorized"],
    [5, "transport.unauthorized"],
  ])("CONNACK %i becomes %s, and nothing stays open", async (returnCode, code) => {
    const { clock, dialer, connect } = setUp({ onConnect: () => returnCode });
    const error = await connect().catch((reason: unknown) => reason as LandfallError);
    expect(error).toMatchObject({ code, message: expect.stringContaining(`CONNACK ${returnCode}`) });
    expect((error as LandfallError).cause).toBeInstanceOf(Error);
    expect(dialer.streams[0]?.destroyed).toBe(true);
    expect(clock.pending).toEqual([]);
  });

  test("a peer that never answers CONNECT is given up after the time-out, and nothing stays open", async () => {
    const { clock, dialer, connect } = setUp({ onConnect: () => "silent" });
    const connecting = connect();
    connecting.catch(() => {});
    await (await dialer.connected()).nth("connect");
    await clock.advance(29_999);
    expect(dialer.streams[0]?.destroyed).toBe(false);
    await clock.advance(1);
    await expect(connecting).rejects.toMatchObject({ code: "transport.timeout" });
    expect(dialer.streams[0]?.destroyed).toBe(true);
    expect(clock.pending).toEqual([]);
  });

  test("a peer that hangs up instead of answering CONNECT is said to have done that", async () => {
    const { dialer, connect } = setUp({ onConnect: () => "silent" });
    const connecting = connect();
    connecting.catch(() => {});
    const peer = await dialer.connected();
    await peer.nth("connect");
    peer.stream.end();
    await expect(connecting).rejects.toMatchObject({
      code: "transport.closed",
      message: expect.stringContaining("other side"),
    });
  });

  test("a connection that is broken before CONNECT can be sent is noticed at once", async () => {
    const { clock, dialer, connect } = setUp();
    const dial = dialer.dial.bind(dialer);
    dialer.dial = async (target, options) => {
      const dialed = await dial(target, options);
      dialed.socket.destroy();
      await new Promise((resolve) => setImmediate(resolve));
      return dialed;
    };
    await expect(connect()).rejects.toMatchObject({ code: "transport.closed" });
    expect(clock.pending).toEqual([]);
  });

  test("a peer that speaks something else ends the connection with transport.protocol", async () => {
    const { dialer, connect } = setUp({ onConnect: () => "silent" });
    const connecting = connect();
    connecting.catch(() => {});
    const peer = await dialer.connected();
    await peer.nth("connect");
    peer.stream.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    await expect(connecting).rejects.toMatchObject({ code: "transport.protocol" });
    expect(dialer.streams[0]?.destroyed).toBe(true);
  });

  test("a subscription that is not granted is a refusal, and nothing stays open", async () => {
    const { dialer, connect } = setUp({ onSubscribe: () => 0x80 });
    await expect(connect()).rejects.toMatchObject({ code: "transport.refused" });
    expect(dialer.streams[0]?.destroyed).toBe(true);
  });

  test("an answer with another id never answers the request, and is told in the log", async () => {
    const records: LogRecord[] = [];
    const { dialer, connect } = setUp({}, { log: createLogger("debug", (record) => records.push(record)) });
    await using channel = await connect();
    const request = channel.request({ kind: "register", body: {} });
    const requestId = await requestIdOf(dialer);
    dialer.peer.publish("$dps/registrations/res/200/?$rid=0ther", "not yours");
    dialer.peer.publish(`$dps/registrations/res/202/?$rid=${requestId}&retry-after=3`, "yours", {
      qos: 1,
      messageId: 9,
    });
    expect(await request).toEqual({ status: 202, retryAfterMs: 3000, body: "yours" });
    expect(records).toMatchObject([{ level: "debug", fields: { requestId: "0ther" } }]);
    await dialer.peer.nth("puback");
  });

  test("an answer that comes too late answers nothing any more", async () => {
    const { clock, dialer, connect } = setUp();
    await using channel = await connect();
    const late = channel.request({ kind: "register", body: {} });
    late.catch(() => {});
    const requestId = await requestIdOf(dialer);
    await clock.advance(30_000);
    await expect(late).rejects.toMatchObject({ code: "transport.timeout" });
    const next = channel.request({ kind: "status", operationId: "4.d0" });
    const nextId = await requestIdOf(dialer, 2);
    expect(nextId).not.toBe(requestId);
    dialer.peer.publish(`$dps/registrations/res/200/?$rid=${requestId}`, "late");
    dialer.peer.publish(`$dps/registrations/res/200/?$rid=${nextId}`, "in time");
    expect(await next).toEqual({ status: 200, body: "in time" });
  });

  test("a publication that is no answer fails the request with transport.protocol", async () => {
    const { dialer, connect } = setUp();
    await using channel = await connect();
    const request = channel.request({ kind: "register", body: {} });
    request.catch(() => {});
    await requestIdOf(dialer);
    dialer.peer.publish("$dps/registrations/res/what", "");
    await expect(request).rejects.toMatchObject({ code: "transport.protocol" });
  });

  test("a peer that stops answering pings is given up", async () => {
    const { clock, dialer, connect } = setUp({ answersPings: false });
    const channel = await connect();
    await clock.advance(240_000);
    await dialer.peer.nth("pingreq");
    await clock.advance(120_000);
    expect(dialer.streams[0]?.destroyed).toBe(true);
    const late = channel.request({ kind: "register", body: {} });
    await expect(late).rejects.toMatchObject({ code: "transport.closed" });
    expect(clock.pending).toEqual([]);
  });

  test("a peer that answers pings is kept", async () => {
    const { clock, dialer, connect } = setUp();
    await using _ = await connect();
    for (let ping = 1; ping <= 3; ping++) {
      await clock.advance(240_000);
      await dialer.peer.nth("pingreq", ping);
    }
    expect(dialer.streams[0]?.destroyed).toBe(false);
  });

  test("says DISCONNECT when it is closed, and does not wait for ever for the peer to hang up", async () => {
    const { clock, dialer, connect } = setUp();
    const channel = await connect();
    const { peer } = dialer;
    await channel.close();
    await peer.nth("disconnect");

    const deaf = await connect();
    dialer.peer.stream.pause();
    const closing = deaf.close();
    await clock.sleeping(2);
    await clock.advance(2_000);
    await closing;
    expect(dialer.streams[1]?.destroyed).toBe(true);
  });
});
