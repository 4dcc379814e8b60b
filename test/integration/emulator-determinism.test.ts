import { request } from "node:https";
import { describe, expect, test } from "vitest";
import { Emulator, seededRandom } from "../../src/emulator/index.ts";
import { createLogger } from "../../src/log.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { ForeignDevice, overTls, sasToken } from "../support/foreign-device.ts";

const dpsHost = "global.azure-devices-provisioning.net";
const hubHost = "hub-a.azure-devices.net";
const scope = "0ne00ABCDEF/registrations/dev";

/** One request over HTTPS; resolves with status and body. */
function ask(
  { ready, authority }: Emulator,
  method: string,
  servername: string,
  path: string,
  { headers = {}, body = "" }: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string },
): Promise<readonly [number | undefined, string]> {
  const where = { host: "127.0.0.1", port: ready.wsPort, servername, ca: authority.certificatePem, agent: false };
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...where, method, path, headers: { host: servername, ...headers } }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve([response.statusCode, text]));
    });
    outgoing.on("error", reject).end(body);
  });
}

/** A whole life under one seed, and everything that was told or written down in it. */
async function life(seed: number): Promise<readonly unknown[]> {
  const clock = new FakeClock();
  const told: unknown[] = [];
  const log = createLogger("trace", (record) => told.push(record));
  await using emulator = await Emulator.start({ clock, random: seededRandom(seed), log, retryAfterSeconds: 0 });
  const enrollment = emulator.dps.enroll({ registrationId: "dev", attestation: { method: "symmetric_key" } });
  const key = enrollment.deviceKey();
  const expiresAtMs = clock.now() + 3_600_000;

  emulator.dps.faults.next("dev", "register", { status: 429, retryAfterSeconds: 1 });
  emulator.dps.faults.next("dev", "poll", { clockSkewMs: 7_200_000 });
  const newcomer = await ForeignDevice.connect(overTls(emulator, { servername: dpsHost }), {
    clientId: "dev",
    username: `${scope}/api-version=2019-03-31`,
    password: sasToken(scope, key, { expiresAtMs }),
  });
  await newcomer.subscribe("$dps/registrations/res/#");
  for (let count = 0; count < 2; count++)
    told.push(await newcomer.ask("$dps/registrations/PUT/iotdps-register/?$rid=1"));
  const { operationId } = JSON.parse(newcomer.messages.all.at(-1)?.payload ?? "{}");
  const poll = `$dps/registrations/GET/iotdps-get-operationstatus/?$rid=2&operationId=${operationId}`;
  for (let count = 0; count < 3; count++) told.push(await newcomer.ask(poll));
  await newcomer.leave();
  await emulator.events.next("dps.disconnected");

  const hub = emulator.hub();
  const authorization = sasToken(`${hubHost}/devices/dev`, key, { expiresAtMs });
  const device = await ForeignDevice.connect(overTls(emulator, { servername: hubHost }), {
    clientId: "dev",
    username: `${hubHost}/dev/?api-version=2021-04-12`,
    password: authorization,
  });
  await device.subscribe("$iothub/twin/res/#", "devices/dev/messages/devicebound/#");
  await device.publish("devices/dev/messages/events/", "1");
  await device.publish("$iothub/twin/PATCH/properties/reported/?$rid=1", '{"a":1}');
  await hub.sendToDevice("dev", { payload: "hi", ack: "full" }).completed;
  hub.addDevice({ deviceId: "other" });
  hub.sendToDevice("other", { payload: "late", ack: "full", timeToLiveMs: 1000 });
  await clock.advance(1000);

  const version = "api-version=2021-04-12";
  const begun = await ask(emulator, "POST", hubHost, `/devices/dev/files?${version}`, {
    headers: { authorization },
    body: '{"blobName":"f"}',
  });
  const { containerName, blobName, sasToken: permit } = JSON.parse(begun[1]);
  const block = { headers: { "x-ms-blob-type": "BlockBlob" }, body: "content" };
  told.push(begun, await ask(emulator, "PUT", "localhost", `/${containerName}/${blobName}${permit}`, block));
  await device.leave();
  await emulator.events.next("hub.disconnected");
  const { all: events } = emulator.events;
  told.push(device.messages.all, events, hub.feedbackReceived, hub.received, hub.connections, enrollment.primaryKey);
  return JSON.parse(JSON.stringify(told)) as readonly unknown[];
}

describe("an emulator with a seed and a clock of its own", () => {
  test("lives the same life twice: every id, key, nonce, answer, event and line of its log", async () => {
    const [first, second] = [await life(7), await life(7)];
    expect(first.length).toBeGreaterThan(15);
    expect(second).toEqual(first);
  });

  test("lives another life under another seed", async () => {
    expect(await life(8)).not.toEqual(await life(7));
  });
});
