import { once } from "node:events";
import { readFileSync } from "node:fs";
import tls, { type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Emulator } from "../../src/emulator/index.ts";
import { ForeignDevice, overTls, overWebSocket, sasToken } from "../support/foreign-device.ts";

const dpsHost = "global.azure-devices-provisioning.net";
const path = "/0ne00ABCDEF/registrations/dev/register?api-version=2021-06-01";
const key = Buffer.alloc(32, 5).toString("base64");
const authorization = sasToken("0ne00ABCDEF/registrations/dev", key, { expiresAtMs: Date.now() + 3_600_000 });
let emulator: Emulator;

beforeAll(async () => {
  emulator = await Emulator.start({ retryAfterSeconds: 0 });
  emulator.dps.enroll({ registrationId: "dev", attestation: { method: "symmetric_key", primaryKey: key } });
});
afterAll(() => emulator.close());

async function secure(servername: string): Promise<TLSSocket> {
  const ca = readFileSync(emulator.ready.caFile);
  const socket = tls.connect({ host: "127.0.0.1", port: emulator.ready.wsPort, servername, ca });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket;
}

/** All bytes of the answer to one request, read until the connection ends. */
async function rawAnswer(): Promise<string> {
  const socket = await secure(dpsHost);
  let bytes = "";
  socket.on("data", (chunk) => {
    bytes += chunk;
  });
  socket.write(
    `PUT ${path} HTTP/1.1\r\nHost: ${dpsHost}\r\nAuthorization: ${authorization}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
  );
  await once(socket, "close");
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
    void device.publish("$dps/registrations/PUT/iotdps-register/?$rid=1", "", 0).catch(() => {});
    await device.closed;
    expect(bytes.length - before).toBe(33);
    expect(bytes.subarray(before).toString("latin1")).toContain("$dps/registrations/res/202/");
  });
});

test("an answer over HTTPS that is late waits for nobody who has gone", async () => {
  emulator.dps.faults.next("dev", "register", { delayMs: 1 });
  expect(await rawAnswer()).toMatch(/^HTTP\/1\.1 202 /);
  emulator.dps.faults.next("dev", "register", { delayMs: 86_400_000 });
  const socket = await secure(dpsHost);
  socket.write(
    `PUT ${path} HTTP/1.1\r\nHost: ${dpsHost}\r\nAuthorization: ${authorization}\r\nContent-Length: 0\r\n\r\n`,
  );
  await emulator.events.next("dps.register", { where: () => emulator.dps.faults.pending === 0 });
  socket.destroy();
});
