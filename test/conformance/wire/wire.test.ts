import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { Agent } from "../../../src/agent/agent.ts";
import { Emulator } from "../../../src/emulator/index.ts";
import { RunningProcess } from "../../support/landfall-process.ts";
import { type RecordedConnection, startMqttRecorder } from "../../support/mqtt-recorder.ts";
import { canHavePrivateWorld, openPrivateWorld } from "../../support/private-world.ts";
import { ScratchFolder } from "../../support/scratch-folder.ts";
import { explanations } from "./differences.ts";
import { factsOf } from "./packet-facts.ts";
import { differencesIn, type WireComparison, wirePage } from "./wire-page.ts";

const page = fileURLToPath(new URL("../../../docs/wire-comparison.md", import.meta.url));
const folder = new ScratchFolder();
const canHaveRealNames = await canHavePrivateWorld();
const registrationId = "sensor-17";
const message = {
  body: '{"temperature":20.5}',
  messageId: "m-1",
  contentType: "application/json",
  contentEncoding: "utf-8",
  properties: { alarm: "no", "a b": "ä/=" },
};

/** Has a client make its journey through a recorder; gives its connections: one to DPS, one to the hub. */
async function record(
  journey: (emulator: Emulator, port: number, key: string) => Promise<void>,
): Promise<readonly RecordedConnection[]> {
  await using emulator = await Emulator.start({ assigningPolls: 0 });
  await using recorder = await startMqttRecorder(emulator);
  const enrollment = emulator.dps.enroll({ registrationId, attestation: { method: "symmetric_key" } });
  await journey(emulator, recorder.port, enrollment.deviceKey());
  expect(emulator.hub().received).toMatchObject([{ messageId: "m-1", properties: message.properties }]);
  return recorder.connections;
}

function journeyOfSdk(): Promise<readonly RecordedConnection[]> {
  return record(async ({ ready }, port, key) => {
    await using world = await openPrivateWorld(folder, [ready.dpsHost, ...ready.hubs], { 8883: port });
    const driver = fileURLToPath(new URL("../drivers/journey.mjs", import.meta.url));
    const [command = "", ...args] = world.command([process.execPath, driver]);
    const input = { transport: "Mqtt", dpsHost: ready.dpsHost, idScope: ready.idScope, registrationId, key, message };
    const env = { NODE_EXTRA_CA_CERTS: ready.caFile, CONFORMANCE_INPUT: JSON.stringify(input) };
    await using device = new RunningProcess(command, args, { env });
    await device.event("done");
  });
}

function journeyOfLandfall(): Promise<readonly RecordedConnection[]> {
  return record(async ({ ready }, port, key) => {
    const attestation = { method: "symmetric_key", registration_id: registrationId, symmetric_key: key } as const;
    await using agent = await Agent.create({
      provisioning: { source: "dps", id_scope: ready.idScope, attestation },
      network: { trust_bundle: ready.caFile, connect_to: [`:8883:127.0.0.1:${port}`] },
      state: { directory: folder.file("state") },
    });
    await agent.start();
    const { body, ...options } = message;
    await agent.sendMessage({ payload: Buffer.from(body), ...options });
  });
}

describe.skipIf(!canHaveRealNames)("what landfall and the Azure SDK send (needs real names)", () => {
  test("differs only where it is explained, and docs/wire-comparison.md says all of it (UPDATE_DOCS=1 rewrites it)", async () => {
    const [sdk, landfall] = [await journeyOfSdk(), await journeyOfLandfall()];
    const comparisons = ["Device Provisioning Service", "IoT Hub"].map((title, index): WireComparison => {
      const [theirs, ours] = [sdk, landfall].map((connections) => connections[index]?.packets.map(factsOf) ?? []);
      return { title, sdk: theirs ?? [], landfall: ours ?? [] };
    });
    const found = differencesIn(comparisons).map(({ key }) => key);
    if (process.env.UPDATE_DOCS) writeFileSync(page, wirePage(comparisons, explanations));
    expect(found.toSorted()).toEqual(Object.keys(explanations).toSorted());
    expect(readFileSync(page, "utf8")).toBe(wirePage(comparisons, explanations));
  });
});
