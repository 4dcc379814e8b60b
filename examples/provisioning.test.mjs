// Tests of a device against the emulator: what happens when the service or the network does not go along?
//
//   node --test provisioning.test.mjs
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { Agent } from "landfall";
import { Emulator } from "landfall/emulator";

const registrationId = "press-07";
let directory;
let emulator;
let agent;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "press-07-"));
  emulator = await Emulator.start({ hubs: ["plant-7", "plant-8"], assigningPolls: 0 });
  const { primaryKey } = emulator.dps.enroll({
    registrationId,
    attestation: { method: "symmetric_key" },
    hubs: ["plant-8"],
  });
  agent = await Agent.create({
    provisioning: {
      source: "dps",
      id_scope: emulator.ready.idScope,
      attestation: { method: "symmetric_key", registration_id: registrationId, symmetric_key: primaryKey },
    },
    network: { trust_bundle: emulator.ready.caFile, connect_to: emulator.connectTo },
    state: { directory },
  });
});

afterEach(async () => {
  await agent.close();
  await emulator.close();
  rmSync(directory, { recursive: true });
});

test("goes to the hub that its enrollment names", async () => {
  const { hub } = await agent.start();
  assert.equal(hub, "plant-8.azure-devices.net");
});

test("waits as long as a busy service asks, then goes on", async () => {
  emulator.dps.faults.next(registrationId, "register", { status: 429, retryAfterSeconds: 2 });
  await agent.start();
  const [turnedAway, accepted] = emulator.events.of("dps.register");
  assert.equal(turnedAway.status, 429);
  assert.ok(accepted.elapsedMs - turnedAway.elapsedMs >= 2000);
});

test("a disabled enrollment is an error that says so", async () => {
  emulator.dps.enrollments[0].update({ disabled: true });
  await assert.rejects(agent.start(), { code: "provisioning.disabled" });
});

test("what was on its way when the connection broke arrives over the next one", async () => {
  await agent.start();
  const sent = agent.send({ count: 1 });
  emulator.hub("plant-8").dropConnection(registrationId);
  await Promise.all([sent, agent.send({ count: 2 })]);
  const counts = emulator.hub("plant-8").received.map((message) => message.json().count);
  assert.deepEqual([...new Set(counts)], [1, 2]);
});
