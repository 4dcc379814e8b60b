import { once } from "node:events";
import net from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import mqttPacket, { type Packet } from "mqtt-packet";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Emulator, seededRandom } from "../../src/emulator/index.ts";
import { ForeignDevice, overTls, overWebSocket, sasToken } from "../support/foreign-device.ts";
import { gone } from "../support/gone.ts";
import { spoilt } from "../support/spoilt.ts";

const hubHost = "hub-a.azure-devices.net";
const dpsHost = "global.azure-devices-provisioning.net";
const key = Buffer.alloc(32, 5).toString("base64");
const failures: unknown[] = [];
const note = (error: unknown): unknown => failures.push(error);
let emulator: Emulator;

beforeAll(async () => {
  process.on("uncaughtException", note).on("unhandledRejection", note);
  emulator = await Emulator.start({ retryAfterSeconds: 0 });
  const symmetric = { method: "symmetric_key", primaryKey: key } as const;
  emulator.hub().addDevice({ deviceId: "dev", authentication: symmetric });
  emulator.dps.enroll({ registrationId: "dev", attestation: symmetric });
});
afterAll(async () => {
  await emulator.close();
  process.off("uncaughtException", note).off("unhandledRejection", note);
});

const expiresAtMs = Date.now() + 3_600_000;
const hubToken = sasToken(`${hubHost}/devices/dev`, key, { expiresAtMs });
const dpsToken = sasToken("0ne00ABCDEF/registrations/dev", key, { expiresAtMs });
const common = { protocolId: "MQTT", protocolVersion: 4, clean: false, clientId: "dev", keepalive: 60 } as const;
const connects: Readonly<Record<string, Buffer>> = {
  [hubHost]: mqttPacket.generate({
    ...common,
    cmd: "connect",
    username: `${hubHost}/dev/?api-version=2021-04-12`,
    password: Buffer.from(hubToken),
    will: { topic: "devices/dev/messages/events/", payload: Buffer.from("bye"), qos: 1, retain: false },
  }),
  [dpsHost]: mqttPacket.generate({
    ...common,
    cmd: "connect",
    username: "0ne00ABCDEF/registrations/dev/api-version=2019-03-31",
    password: Buffer.from(dpsToken),
  }),
};

const publish = (topic: string, payload: string, qos: 0 | 1 | 2 = 1): Packet => ({
  cmd: "publish",
  topic,
  payload,
  qos,
  messageId: 7,
  dup: false,
  retain: false,
});
const seeds: readonly Buffer[] = (
  [
    publish("devices/dev/messages/events/%24.ct=a&b=c", "{}"),
    publish("$iothub/twin/GET/?$rid=1", " ", 0),
    publish("$iothub/twin/PATCH/properties/reported/?$rid=2&$version=1", '{"a":{"b":null}}'),
    publish("$iothub/methods/res/200/?$rid=1", '{"a":1}'),
    publish("$dps/registrations/PUT/iotdps-register/?$rid=1", '{"registrationId":"dev","payload":{"a":[1]}}'),
    publish("$dps/registrations/GET/iotdps-get-operationstatus/?$rid=1&operationId=4.0.a", " "),
    publish("a/b", "", 2),
    {
      cmd: "subscribe",
      messageId: 3,
      subscriptions: [
        { topic: "$iothub/twin/res/#", qos: 1 },
        { topic: "devices/+/messages/devicebound/#", qos: 2 },
      ],
    },
    { cmd: "subscribe", messageId: 4, subscriptions: [{ topic: "$dps/registrations/res/#", qos: 0 }] },
    { cmd: "unsubscribe", messageId: 5, unsubscriptions: ["$iothub/twin/res/#"] },
    { cmd: "puback", messageId: 1 },
    { cmd: "pubrel", messageId: 1 },
    { cmd: "pingreq" },
    { cmd: "disconnect" },
  ] satisfies Packet[]
).map((packet) => mqttPacket.generate(packet));

async function secure(servername: string, port = emulator.ready.mqttPort): Promise<Duplex> {
  const socket = tls.connect({ host: "127.0.0.1", port, servername, ca: emulator.authority.certificatePem });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket.resume();
}

/** The emulator has come to no harm: nothing was thrown, and a well-behaved device is served. */
async function expectHealth(): Promise<void> {
  await using device = await ForeignDevice.connect(overTls(emulator, { servername: hubHost }), {
    clientId: "dev",
    username: `${hubHost}/dev/?api-version=2021-04-12`,
    password: hubToken,
  });
  await device.publish("devices/dev/messages/events/", "still here");
  expect(emulator.hub().received.at(-1)?.text()).toBe("still here");
  expect(failures).toEqual([]);
}

describe("the emulator comes to no harm from", () => {
  test.each([hubHost, dpsHost])("spoilt packets, before and after CONNECT, at %s", async (host) => {
    const random = seededRandom(host.length);
    const one = async (): Promise<void> => {
      const socket = await secure(host);
      const connect = connects[host] ?? Buffer.alloc(0);
      socket.write(random() < 0.3 ? spoilt(connect, random) : connect);
      for (let packets = Math.floor(random() * 8); packets > 0; packets--) {
        socket.write(spoilt(seeds[Math.floor(random() * seeds.length)] ?? connect, random));
      }
      if (random() < 0.5) socket.end();
      else setImmediate(() => socket.destroy());
      await gone(socket);
    };
    for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 10 }, one));
    await expectHealth();
  });

  test.each(["mqttPort", "wsPort"] as const)("bytes that are no TLS, at %s", async (port) => {
    const random = seededRandom(3);
    for (let round = 0; round < 20; round++) {
      const socket = net.connect(emulator.ready[port], "127.0.0.1");
      socket.on("error", () => {});
      socket.end(Buffer.from(Array.from({ length: 200 }, () => Math.floor(random() * 256))));
      await gone(socket.resume());
    }
    await expectHealth();
  });

  test.each([
    "GET / HTTP/1.1\r\n\r\n",
    "nonsense\r\n\r\n",
    "GET /$iothub/websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "GET http:// HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    "POST /$iothub/websocket HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
  ])("HTTP that is none, or not ours: %j", async (text) => {
    const socket = await secure(hubHost, emulator.ready.wsPort);
    socket.end(text);
    await gone(socket);
    await expectHealth();
  });

  test("a WebSocket that is cut, and frames that are no MQTT", async () => {
    const device = await ForeignDevice.connect(overWebSocket(emulator, { servername: hubHost }), {
      clientId: "dev",
      username: `${hubHost}/dev/?api-version=2021-04-12`,
      password: hubToken,
    });
    device.client.stream.write(Buffer.from([0xf0, 0]));
    await device.closed;
    const cut = overWebSocket(emulator, { servername: hubHost })();
    cut.on("error", () => {});
    await new Promise((resolve) => cut.write(connects[hubHost]?.subarray(0, 10), resolve));
    cut.destroy();
    await expectHealth();
  });

  test("half a conversation: clients that stop at every point of it", async () => {
    const open: Duplex[] = [];
    const bytes = connects[hubHost] ?? Buffer.alloc(0);
    for (let cut = 0; cut <= bytes.length; cut += 16) {
      const socket = await secure(hubHost);
      socket.write(bytes.subarray(0, cut));
      open.push(socket);
    }
    open.push(net.connect(emulator.ready.mqttPort, "127.0.0.1"));
    await expectHealth();
    for (const socket of open) socket.destroy();
    await expectHealth();
  });

  test("any number of connections that take each other over", async () => {
    let taken = 0;
    const all = emulator.events.next("hub.connected", { from: "now", where: () => ++taken === 20 });
    const devices = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const socket = await secure(hubHost);
        socket.write(connects[hubHost]);
        return socket;
      }),
    );
    await all;
    await expectHealth();
    for (const device of devices) device.destroy();
    expect(emulator.hub().connections.length).toBeLessThanOrEqual(1);
  });
});
