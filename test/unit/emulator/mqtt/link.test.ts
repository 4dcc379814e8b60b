import { type Duplex, duplexPair } from "node:stream";
import mqttPacket, { type IConnectPacket, type Packet } from "mqtt-packet";
import { describe, expect, test } from "vitest";
import { MqttLink } from "../../../../src/emulator/mqtt/link.ts";
import type { Will } from "../../../../src/emulator/mqtt/packets.ts";
import type { Rule } from "../../../../src/emulator/mqtt/rules.ts";
import type { MqttService } from "../../../../src/emulator/mqtt/service.ts";
import { silentLogger } from "../../../../src/log.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";
import { Sightings } from "../../../../src/testing/sightings.ts";

const connect: IConnectPacket = {
  cmd: "connect",
  clientId: "dev",
  protocolId: "MQTT",
  protocolVersion: 4,
  clean: true,
  keepalive: 0,
};

/** A link to a service that takes everything and writes down what it is told, and the client's raw end. */
function start(service: Partial<MqttService> = {}) {
  const [client, server]: [Duplex, Duplex] = duplexPair();
  const timers = new FakeClock();
  const seen: unknown[] = [];
  const breaches: Rule[] = [];
  const answers = new Sightings<Packet>();
  const ended = new Promise<void>((resolve) => client.once("close", () => resolve()));
  const parser = mqttPacket.parser();
  parser.on("packet", (packet) => answers.add(packet));
  client.on("data", (bytes: Buffer) => parser.parse(bytes));
  client.on("end", () => client.destroy());
  server.once("close", () => client.destroy()); // what a socket does by itself
  client.on("error", () => {});
  const recorder: MqttService = {
    name: "recorder",
    connect: () => ({ code: 0 }),
    opened: () => seen.push("opened"),
    subscribe: (_link, filter, qos) => {
      seen.push(["subscribe", filter, qos]);
      return qos === 0 ? 0 : 1;
    },
    subscribed: () => seen.push("subscribed"),
    unsubscribe: (_link, filter) => seen.push(["unsubscribe", filter]),
    publish: (_link, { topic, payload, qos }) => {
      seen.push(["publish", topic, `${payload}`, qos]);
      return undefined;
    },
    closed: (_link, will: Will | undefined) => seen.push(["closed", will?.topic]),
    ...service,
  };
  const peer = { transport: "mqtt", remoteAddress: "127.0.0.1", certificates: [] } as const;
  const link = new MqttLink({
    stream: server,
    peer,
    log: silentLogger,
    timers,
    route: () => recorder,
    onBreach: (rule) => breaches.push(rule),
  });
  const send = (...packets: Packet[]): void => {
    for (const packet of packets) client.write(mqttPacket.generate(packet));
  };
  return { client, link, timers, seen, breaches, answers, ended, send };
}

function sendRaw({ client, send }: ReturnType<typeof start>, ...bytes: number[]): void {
  send(connect);
  client.write(Buffer.from(bytes));
}

describe("a link", () => {
  test("answers CONNECT as its service decides, and opens", async () => {
    const { send, answers, seen } = start({ connect: () => ({ code: 0, sessionPresent: true }) });
    send(connect);
    expect(await answers.nth(1)).toMatchObject({ cmd: "connack", returnCode: 0, sessionPresent: true });
    expect(seen).toEqual(["opened"]);
  });

  test("sends the refusal, closes, and never tells the service that it closed", async () => {
    const { send, answers, ended, seen } = start({ connect: () => ({ code: 5, sessionPresent: true }) });
    send(connect);
    expect(await answers.nth(1)).toMatchObject({ cmd: "connack", returnCode: 5, sessionPresent: false });
    await ended;
    expect(seen).toEqual([]);
  });

  test.each([
    ["3.1", { protocolId: "MQIsdp", protocolVersion: 3 }],
    ["5", { protocolId: "MQTT", protocolVersion: 5 }],
  ] as const)("refuses MQTT %s with code 1", async (_version, protocol) => {
    const { client, send, answers, ended } = start();
    if (protocol.protocolVersion === 3) send({ ...connect, ...protocol });
    else client.write(mqttPacket.generate({ ...connect, ...protocol, properties: {} } as Packet));
    expect(await answers.nth(1)).toMatchObject({ cmd: "connack", returnCode: 1 });
    await ended;
  });

  test("grants what the service grants, and tells it when the answer is on its way", async () => {
    const { send, answers, seen } = start();
    const subscriptions = [
      { topic: "a/#", qos: 2 as const },
      { topic: "b", qos: 0 as const },
    ];
    send(
      connect,
      { cmd: "subscribe", messageId: 9, subscriptions },
      { cmd: "unsubscribe", messageId: 10, unsubscriptions: ["b"] },
    );
    expect(await answers.nth(2)).toMatchObject({ cmd: "suback", messageId: 9, granted: [1, 0] });
    expect(await answers.nth(3)).toMatchObject({ cmd: "unsuback", messageId: 10 });
    expect(seen.slice(1)).toEqual([["subscribe", "a/#", 2], ["subscribe", "b", 0], "subscribed", ["unsubscribe", "b"]]);
  });

  test("acknowledges a message after the service has taken it", async () => {
    const { send, answers, seen } = start();
    send(connect, { cmd: "publish", topic: "t", payload: "hi", qos: 1, messageId: 77, dup: false, retain: false });
    expect(await answers.nth(2)).toMatchObject({ cmd: "puback", messageId: 77 });
    expect(seen).toContainEqual(["publish", "t", "hi", 1]);
  });

  test("does not acknowledge a message for which the service closed the link", async () => {
    const { send, answers, ended, breaches } = start({
      publish: (link) => {
        link.breach("unknown-topic");
        return undefined;
      },
    });
    send(connect, { cmd: "publish", topic: "t", payload: "", qos: 1, messageId: 1, dup: false, retain: false });
    await ended;
    expect(answers.all.map(({ cmd }) => cmd)).toEqual(["connack"]);
    expect(breaches).toEqual(["unknown-topic"]);
  });

  test("resolves a message with QoS 1 by its own acknowledgement, and takes another id for the next", async () => {
    const { link, send, answers } = start();
    send(connect);
    await answers.nth(1);
    const sent = [
      link.sendAcknowledged("t", Buffer.from("1")),
      link.sendAcknowledged("t", Buffer.from("2"), { duplicate: true }),
    ];
    expect(await answers.nth(2)).toMatchObject({ cmd: "publish", qos: 1, messageId: 1, dup: false });
    expect(await answers.nth(3)).toMatchObject({ cmd: "publish", qos: 1, messageId: 2, dup: true });
    send({ cmd: "puback", messageId: 2 }, { cmd: "puback", messageId: 999 });
    await sent[1];
    link.drop("enough");
    await expect(sent[0]).rejects.toThrow("enough");
    await expect(link.sendAcknowledged("t", Buffer.from("3"))).rejects.toThrow("enough");
  });

  test("answers pings", async () => {
    const { send, answers } = start();
    send(connect, { cmd: "pingreq" });
    expect(await answers.nth(2)).toMatchObject({ cmd: "pingresp" });
  });

  const will = { topic: "w", payload: Buffer.from("bye"), qos: 0, retain: false } as const;

  test("hands over the will when the connection is lost", async () => {
    const { client, send, answers, seen, link } = start();
    send({ ...connect, will });
    await answers.nth(1);
    client.end();
    await new Promise((resolve) => link.signal.addEventListener("abort", resolve));
    expect(seen).toEqual(["opened", ["closed", "w"]]);
  });

  test("forgets the will of a client that takes leave", async () => {
    const { send, seen, ended } = start();
    send({ ...connect, will }, { cmd: "disconnect" });
    await ended;
    expect(seen).toEqual(["opened", ["closed", undefined]]);
  });

  test("loses everything while it is silent, and stays up", async () => {
    const { link, send, answers, seen, timers } = start();
    send(connect);
    await answers.nth(1);
    link.silent = true;
    send(
      { cmd: "publish", topic: "lost", payload: "", qos: 1, messageId: 1, dup: false, retain: false },
      { cmd: "pingreq" },
    );
    link.send("t", "lost too");
    await timers.advance(0);
    link.silent = false;
    send({ cmd: "publish", topic: "heard", payload: "", qos: 1, messageId: 2, dup: false, retain: false });
    expect(await answers.nth(2)).toMatchObject({ cmd: "puback", messageId: 2 });
    expect(seen).toEqual(["opened", ["publish", "heard", "", 1]]);
  });

  test("that falls silent at CONNECT does not open", async () => {
    const { send, answers, seen, timers, link } = start({
      connect: (link) => {
        link.silent = true;
        return { code: 0 };
      },
    });
    send(connect);
    await timers.advance(0);
    expect([answers.all, seen, link.signal.aborted]).toEqual([[], [], false]);
  });

  test.each<[string, Rule, (link: ReturnType<typeof start>) => void]>([
    ["a message before CONNECT", "unexpected-packet", ({ send }) => send({ cmd: "pingreq" })],
    ["a second CONNECT", "unexpected-packet", ({ send }) => send(connect, connect)],
    [
      "a message with QoS 2",
      "qos-2",
      ({ send }) =>
        send(connect, { cmd: "publish", topic: "t", payload: "", qos: 2, messageId: 1, dup: false, retain: false }),
    ],
    ["PUBREL", "unexpected-packet", ({ send }) => send(connect, { cmd: "pubrel", messageId: 1 })],
    ["what is no MQTT", "unexpected-packet", ({ client }) => void client.write("GET / HTTP/1.1\r\n\r\n")],
    ["a length of five bytes", "malformed-packet", (it) => sendRaw(it, 0x30, 128, 128, 128, 128, 1)],
    ["a packet of 256 MB, at its first bytes", "message-too-large", (it) => sendRaw(it, 0x30, 255, 255, 255, 127)],
  ])("is closed on %s", async (_what, rule, act) => {
    const started = start();
    act(started);
    await started.ended;
    expect(started.breaches).toEqual([rule]);
    expect(started.link.closeReason).toContain(rule);
  });

  test("is closed when CONNECT is not complete in ten seconds, however busy the client", async () => {
    const { client, timers, breaches, ended } = start();
    const bytes = mqttPacket.generate(connect);
    for (let second = 0; second < 9; second++) {
      client.write(bytes.subarray(second, second + 1));
      await timers.advance(1000);
    }
    expect(breaches).toEqual([]);
    await timers.advance(1000);
    await ended;
    expect(breaches).toEqual(["connect-timeout"]);
  });

  test("is closed after one and a half keep-alives of silence, counted from the last sign of life", async () => {
    const { send, answers, timers, breaches, ended } = start();
    send({ ...connect, keepalive: 10 });
    await answers.nth(1);
    await timers.advance(14_000);
    send({ cmd: "pingreq" });
    await answers.nth(2);
    await timers.advance(14_999);
    expect(breaches).toEqual([]);
    await timers.advance(1);
    await ended;
    expect(breaches).toEqual(["keep-alive"]);
  });

  test("waits for ever with keep-alive 0, and never longer than 1767 seconds with another", async () => {
    const [patient, capped] = [start(), start()];
    patient.send(connect);
    capped.send({ ...connect, keepalive: 65_535 });
    await Promise.all([patient.answers.nth(1), capped.answers.nth(1)]);
    await Promise.all([patient.timers.advance(90_000_000), capped.timers.advance(1_766_999)]);
    expect([patient.breaches, capped.breaches]).toEqual([[], []]);
    await capped.timers.advance(1);
    expect(capped.breaches).toEqual(["keep-alive"]);
  });

  test("ends alone when its service throws, whatever the reason", async () => {
    const { send, ended, link } = start({
      publish: () => {
        throw new Error("oops");
      },
    });
    send(connect, { cmd: "publish", topic: "t", payload: "", qos: 1, messageId: 1, dup: false, retain: false });
    await ended;
    expect(link.closeReason).toContain("failed on a packet");
  });

  test("is closed instead of writing a topic that no packet can hold", async () => {
    const { link, send, answers, ended, breaches } = start();
    send(connect);
    await answers.nth(1);
    link.send("t".repeat(65_536));
    await ended;
    expect(breaches).toEqual(["message-too-large"]);
  });

  test("drops a client that does not read", async () => {
    const { client, link, send, answers, breaches } = start();
    send(connect);
    await answers.nth(1);
    client.pause();
    for (let sent = 0; sent < 100 && !link.signal.aborted; sent++) link.send("t", Buffer.alloc(65_536));
    expect(link.signal.aborted).toBe(true);
    expect(breaches).toEqual(["slow-reader"]);
  });
});
