import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type ExecutedCommand, makeMcuImage, SimulatedMcu, type TelemetryMessage } from "../../firmware-sim/index.ts";
import type { Emulator } from "../../src/emulator/index.ts";
import { isJsonObject } from "../../src/json.ts";
import { type Board, McuGateway, type McuGatewayOptions, oneInAThousand } from "../support/mcu-gateway.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { testIdentity } from "../support/simulated-mcu.ts";

const folder = new ScratchFolder();
const { registrationId, symmetricKey } = testIdentity;
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** A simulated MCU, and what it counts for itself. */
class SimulatedBoard implements Board {
  readonly registrationId = registrationId;
  readonly mcu = new SimulatedMcu({ identity: testIdentity, seed: 7 });
  readonly executed: ExecutedCommand[] = [];
  readonly answered: TelemetryMessage[] = [];

  constructor() {
    this.mcu.on("executed", (command) => this.executed.push(command));
    this.mcu.on("answered", (message) => this.answered.push(message));
  }

  attach(line: Parameters<SimulatedMcu["attach"]>[0]): void {
    this.mcu.attach(line);
  }

  close(): void {
    this.mcu.close();
  }
}

const byKey = {
  attestation: { method: "symmetric_key", registration_id: registrationId, symmetric_key: "mcu:" },
  enroll: (emulator: Emulator) => {
    emulator.dps.enroll({ registrationId, attestation: { method: "symmetric_key", primaryKey: symmetricKey } });
  },
};

let gateways = 0;

async function gateway(options: Omit<McuGatewayOptions, "board">) {
  gateways += 1;
  const board = new SimulatedBoard();
  return { board, gateway: await McuGateway.open(folder.file(`gateway-${gateways}`), { board, ...options }) };
}

describe.each([
  ["a good line", {}],
  ["a line that spoils one byte in a thousand", oneInAThousand],
])("over %s, an agent with an MCU", (_, faults) => {
  test("registers with its key, and carries telemetry, methods and settings, each once", async () => {
    const { board, gateway: one } = await gateway({ ...byKey, faults });
    await using world = one;
    await world.agent.start();
    expect(world.hub.connections.at(-1)).toMatchObject({ deviceId: registrationId, credential: "sas" });
    await world.reported(({ connected }) => connected === true);

    world.hub.updateDesired(registrationId, {
      mcu: { sampling: { period_ms: 100 }, alarm: "loud", colour: "red" },
    });
    const told = await world.reported(({ colour }) => colour !== undefined);
    expect(told).toMatchObject({
      sampling: { period_ms: { value: 100, ac: 200, av: 2 } },
      alarm: { value: "loud", ac: 400, av: 2 },
      colour: { value: "red", ac: 404, av: 2 },
    });

    for (let call = 1; call <= 20; call++) {
      expect(await world.call("count")).toMatchObject({ status: 200, payload: { count: call } });
    }
    expect(board.executed).toHaveLength(20);
    board.mcu.misbehave({ does: "lose-answer", group: 72, command: 0, times: 2 });
    expect(await world.call("count")).toMatchObject({ status: 200, payload: { count: 21 } });
    expect(board.executed).toHaveLength(21);
    expect(await world.call("no-such-command")).toMatchObject({ status: 404 });

    const messages = await world.messages(20);
    const boot = board.mcu.boot;
    expect(messages.map(({ messageId }) => messageId)).toEqual(messages.map((_, n) => `mcu-${boot}-${n}`));
    expect(JSON.parse(String(messages[0]?.payload))).toMatchObject({ temperature: expect.any(Number) });
    expect(world.connections).toBe(1);
  });

  test("updates its firmware, goes back from a bad image, and stays connected", async () => {
    const { board, gateway: one } = await gateway({ ...byKey, faults });
    await using world = one;
    await world.agent.start();
    await world.reported(({ connected }) => connected === true);

    const good = makeMcuImage({ version: "1.1.0", codeBytes: 6_000, board: "landfall-mcu-sim" });
    await world.offer("good.bin", good);
    const order = { file: "good.bin", sha256: sha256(good) };
    expect(await world.call("updateMcu", { ...order, sha256: sha256(Buffer.from("another")) })).toMatchObject({
      status: 400,
      payload: { error: expect.stringContaining("is not the file that was ordered") },
    });
    expect(await world.call("updateMcu", order)).toMatchObject({ status: 202, payload: { version: "1.1.0" } });
    expect(await world.call("updateMcu", order)).toMatchObject({ status: 409 });
    const updated = await world.reported(({ update }) => isJsonObject(update) && update.state === "updated");
    expect(updated.update).toMatchObject({ file: "good.bin", from: "1.0.0", version: "1.1.0", percent: 100 });
    board.mcu.cutPower();
    board.mcu.restorePower();
    expect(board.mcu.version).toBe("1.1.0");

    const bad = makeMcuImage({ version: "1.2.0", codeBytes: 6_000, start: "crashes" });
    await world.offer("bad.bin", bad);
    expect(await world.call("updateMcu", { file: "bad.bin", sha256: sha256(bad) })).toMatchObject({ status: 202 });
    const failed = await world.reported(({ update }) => isJsonObject(update) && update.state === "failed");
    expect(failed.update).toMatchObject({ version: "1.2.0", error: { code: "firmware.reverted" } });
    expect(board.mcu.version).toBe("1.1.0");
    expect(world.connections).toBe(1);
  }, 120_000);
});

test("an MCU that is unplugged is waited for, without losing the hub", async () => {
  const { board, gateway: one } = await gateway(byKey);
  await using world = one;
  await world.agent.start();
  await world.messages(1);
  await world.unplug();
  await world.event(({ event }) => event === "mcu-disconnected");
  await world.reported(({ connected }) => connected === false);
  world.hub.updateDesired(registrationId, { mcu: { label: "first" } });
  world.hub.updateDesired(registrationId, { mcu: { label: "second", sampling: { period_ms: 100 } } });
  await world.agent.send({ still: "here" });

  const answered = board.answered.length;
  await world.plug();
  const told = await world.reported(({ connected, label }) => connected === true && label !== undefined);
  expect(told.label).toMatchObject({ value: "second", ac: 200, av: 3 });
  const messages = await world.messages(answered + 5);
  expect(messages.map(({ messageId }) => messageId)).toEqual(messages.map((_, n) => `mcu-${board.mcu.boot}-${n}`));
  expect(world.connections).toBe(1);
});
