import { once } from "node:events";
import tls, { type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Emulator } from "../../src/emulator/index.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { ForeignDevice, overTls, overWebSocket, sasToken } from "../support/foreign-device.ts";
import { gone } from "../support/gone.ts";

const dpsHost = "global.azure-devices-provisioning.net";
const path = "/0ne00ABCDEF/registrations/dev/register?api-version=2021-06-01";
const key = Buffer.alloc(32, 5).toString("base64");
const authorization = sasToken("0ne00ABCDEF/registrations/dev", key, { expiresAtMs: Date.now() + 3_600_000 });
const registration = `PUT ${path} HTTP/1.1\r\nHost: ${dpsHost}\r\nAuthorization: ${authorization}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
let emulator: Emulator;

beforeAll(async () => {
  emulator = await Emulator.start({ retryAfterSeconds: 0 });
  emulator.dps.enroll({ registrationId: "dev", attestation: { method: "symmetric_key", primaryKey: key } });
});
afterAll(() => emulator.close());

async function secure({ ready, authority }: Emulator): Promise<TLSSocket> {
  const where = { host: "127.0.0.1", port: ready.wsPort, servername: dpsHost };
  const socket = tls.connect({ ...where, ca: authority.certificatePem });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket;
}

/** All bytes of the answer to one request, read until the connection ends. */
async function rawAnswer(from: Emulator = emulator): Promise<string> {
  const socket = await secure(from);
  let bytes = "";
  socket.on("data", (chunk) => {
    bytes += chunk;
  });
  socket.write(registration);
  await gone(socket);
  return bytes;
}

describe("an answer that is cut at a byte", () => {
  test("over HTTPS comes up to that byte, head and body alike", async () => {
    const whole = await rawAnswer();
    expect(whole).toMatch(/^HTTP\/1\.1 202 Accepted\r\n/);
    for (const cutAfterBytes of [0, 1, 12, 100]) {
      emulator.dps.faults.next("dev", "register", { cutAfterBytes });
      const cut = await rawAnswer();
      expect(Buffer.byteLength(cut)).toBe(cutAfterBytes);
      expect("HTTP/1.1 202 Accepted\r\n".startsWith(cut.slice(0, 23))).toBe(true);
    }
    emulator.dps.faults.next("dev", "register", { cutAfterBytes: 10_000 });
    expect(await rawAnswer()).toMatch(/\r\n\r\n\{"operationId":"[^"]+","status":"assigning"\}$/);
  });

  test.each([
    ["MQTT", overTls],
    ["MQTT over WebSocket", overWebSocket],
  ])("over %s comes up to that byte", async (_name, over) => {
    const stream = over(emulator, { servername: dpsHost })();
    let bytes = Buffer.alloc(0);
    stream.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
    });
    const device = await ForeignDevice.connect(() => stream, {
      clientId: "dev",
      username: "0ne00ABCDEF/registrations/dev/api-version=2019-03-31",
      password: authorization,
    });
    await device.subscribe("$dps/registrations/res/#");
    const before = bytes.length;
    emulator.dps.faults.next("dev", "register", { cutAfterBytes: 33 });
    void device.publish("$dps/registrations/PUT/iotdps-register/?$rid=1").catch(() => {});
    await device.closed;
    expect(bytes.length - before).toBe(33);
    expect(bytes.subarray(before).toString("latin1")).toContain("$dps/registrations/res/202/");
  });
});

test("an answer over HTTPS that is late comes by the emulator's clock, and waits for nobody who has gone", async () => {
  const clock = new FakeClock(Date.now());
  await using late = await Emulator.start({ clock });
  late.dps.enroll({ registrationId: "dev", attestation: { method: "symmetric_key", primaryKey: key } });
  late.dps.faults.next("dev", "register", { delayMs: 5000 }, 2);
  const asked = rawAnswer(late);
  await clock.sleeping();
  await clock.advance(5000);
  expect(await asked).toMatch(/^HTTP\/1\.1 202 /);
  const socket = await secure(late);
  socket.write(registration);
  await clock.sleeping();
  socket.destroy();
  while (clock.pending.length > 0) await new Promise((resolve) => setImmediate(resolve));
  expect(late.dps.faults.served).toHaveLength(2);
});
