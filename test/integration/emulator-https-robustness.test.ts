import { once } from "node:events";
import tls, { type TLSSocket } from "node:tls";
import mqttPacket from "mqtt-packet";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Emulator, seededRandom } from "../../src/emulator/index.ts";
import { sasToken } from "../support/foreign-device.ts";
import { gone } from "../support/gone.ts";
import { spoilt } from "../support/spoilt.ts";

const dpsHost = "global.azure-devices-provisioning.net";
const hubHost = "hub-a.azure-devices.net";
const blobHost = "landfallemulator.blob.core.windows.net";
const key = Buffer.alloc(32, 5).toString("base64");
const expiresAtMs = Date.now() + 3_600_000;
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

/** A whole request as bytes. */
function http(host: string, line: string, body: string | Buffer = "", ...headers: string[]): Buffer {
  const all = [`Host: ${host}`, ...headers, `Content-Length: ${Buffer.byteLength(body)}`];
  return Buffer.concat([Buffer.from(`${line} HTTP/1.1\r\n${all.join("\r\n")}\r\n\r\n`), Buffer.from(body)]);
}

const dpsToken = `Authorization: ${sasToken("0ne00ABCDEF/registrations/dev", key, { expiresAtMs })}`;
const hubToken = `Authorization: ${sasToken(`${hubHost}/devices/dev`, key, { expiresAtMs })}`;
const registration = "/0ne00ABCDEF/registrations/dev";
const files = "/devices/dev/files";

/** Good requests of every kind, by the service that takes them. */
const requests: Readonly<Record<string, () => readonly Buffer[]>> = {
  [dpsHost]: () => [
    http(dpsHost, `PUT ${registration}/register?api-version=2021-06-01`, '{"registrationId":"dev"}', dpsToken),
    http(dpsHost, `GET ${registration}/operations/4.0.a?api-version=2021-06-01`, "{}", dpsToken),
    http(dpsHost, `POST ${registration}?api-version=2021-06-01`, '{"payload":{"a":[1]}}', dpsToken),
  ],
  [hubHost]: () => [
    http(hubHost, `POST ${files}?api-version=2021-04-12`, '{"blobName":"a/b"}', hubToken),
    http(hubHost, `POST ${files}/notifications?api-version=2021-04-12`, '{"correlationId":"a"}', hubToken),
    http(hubHost, `POST ${files}/notifications/YQ%3D%3D?api-version=2021-04-12`, "{}", hubToken),
  ],
  [blobHost]: () => {
    const permit = emulator.hub().files.begin("dev", "f") ?? { sasToken: "?sig=none" };
    const blob = `/hub-a/dev/f${permit.sasToken}`;
    return [
      http(blobHost, `PUT ${blob}`, Buffer.alloc(300, 7), "x-ms-blob-type: BlockBlob"),
      http(blobHost, `PUT ${blob}&comp=block&blockid=YQ==`, "block"),
      http(blobHost, `PUT ${blob}&comp=blocklist`, "<BlockList><Latest>YQ==</Latest></BlockList>"),
    ];
  },
};
const hosts = Object.keys(requests);

async function secure(servername: string): Promise<TLSSocket> {
  const { ready, authority } = emulator;
  const socket = tls.connect({ host: "127.0.0.1", port: ready.wsPort, servername, ca: authority.certificatePem });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket.resume();
}

/** The status line of the answer to one good request. */
async function statusOf(host: string, request: Buffer): Promise<string> {
  const socket = await secure(host);
  socket.write(request);
  const [answer] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return answer.toString("latin1").split("\r\n", 1)[0] ?? "";
}

/** The emulator has come to no harm: nothing was thrown, and every service answers a good request. */
async function expectHealth(): Promise<void> {
  for (const host of hosts) {
    const [first] = requests[host]?.() ?? [];
    expect(await statusOf(host, first ?? Buffer.alloc(0))).toMatch(/^HTTP\/1\.1 [24]\d\d /);
  }
  expect(failures).toEqual([]);
}

/** A frame of WebSocket with a mask of zeros. */
function frame(payload: Buffer): Buffer {
  const length =
    payload.length < 126 ? [0x80 | payload.length] : [0x80 | 126, payload.length >> 8, payload.length & 255];
  return Buffer.concat([Buffer.from([0x82, ...length, 0, 0, 0, 0]), payload]);
}

describe("over HTTPS the emulator comes to no harm from", () => {
  test.each(hosts)("spoilt requests, one after the other on a connection, at %s", async (host) => {
    const random = seededRandom(host.length);
    const one = async (): Promise<void> => {
      const socket = await secure(host);
      const seeds = requests[host]?.() ?? [];
      for (let count = 1 + Math.floor(random() * 4); count > 0; count--) {
        socket.write(spoilt(seeds[Math.floor(random() * seeds.length)] ?? Buffer.alloc(1), random));
      }
      setImmediate(() => (random() < 0.5 ? socket.end() : socket.destroy()));
      await gone(socket);
    };
    for (let round = 0; round < 15; round++) await Promise.all(Array.from({ length: 10 }, one));
    await expectHealth();
  });

  test("spoilt frames of WebSocket, with spoilt MQTT in them", async () => {
    const random = seededRandom(11);
    const upgrade =
      "GET /$iothub/websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    const packets = [
      mqttPacket.generate({
        cmd: "connect",
        protocolId: "MQTT",
        protocolVersion: 4,
        clean: true,
        clientId: "dev",
        keepalive: 60,
        username: `${hubHost}/dev/?api-version=2021-04-12`,
        password: Buffer.from(sasToken(`${hubHost}/devices/dev`, key, { expiresAtMs })),
      }),
      mqttPacket.generate({ cmd: "pingreq" }),
    ];
    const one = async (): Promise<void> => {
      const socket = await secure(hubHost);
      socket.write(random() < 0.2 ? spoilt(Buffer.from(upgrade), random) : upgrade);
      for (const packet of packets)
        socket.write(spoilt(frame(random() < 0.5 ? packet : spoilt(packet, random)), random));
      setImmediate(() => socket.destroy());
      await gone(socket);
    };
    for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 10 }, one));
    await expectHealth();
  });

  test.each(hosts)("clients that send byte by byte, or stop at any point, at %s", async (host) => {
    const open: TLSSocket[] = [];
    for (const request of requests[host]?.() ?? []) {
      for (let cut = 1; cut < request.length; cut += 60) {
        const socket = await secure(host);
        socket.write(request.subarray(0, cut));
        open.push(socket);
      }
    }
    const [request = Buffer.alloc(0)] = requests[host]?.() ?? [];
    const slow = await secure(host);
    for (const byte of request) slow.write(Buffer.from([byte]));
    await once(slow, "data");
    await expectHealth();
    for (const socket of [...open, slow]) socket.destroy();
    await expectHealth();
  });

  test("clients that go while their answer is late, or is cut", async () => {
    const [register = Buffer.alloc(0)] = requests[dpsHost]?.() ?? [];
    const { faults } = emulator.dps;
    for (const fault of [{ delayMs: 3_600_000 }, { cutAfterBytes: 5 }, "silence", "drop"] as const) {
      faults.next("dev", "register", fault);
      const seen = emulator.events.next("dps.register", { from: "now" });
      const socket = await secure(dpsHost);
      socket.write(register);
      await seen;
      socket.destroy();
    }
    await expectHealth();
  });

  test.each([
    ["a head that never ends", `GET / HTTP/1.1\r\n${"x: y\r\n".repeat(20_000)}`],
    ["a method that is none", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["a tunnel", "CONNECT hub-a:443 HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["a length that is none", "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"],
    ["two lengths", "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["no host", "GET / HTTP/1.1\r\n\r\n"],
    ["a path of percent signs", "GET /%%%/%00/registrations/%ff HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"],
  ])("%s", async (_what, text) => {
    const socket = await secure(dpsHost);
    socket.end(text);
    await gone(socket);
    await expectHealth();
  });
});
