import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type ExecutedCommand, makeMcuImage, SimulatedMcu, type TelemetryMessage } from "../../firmware-sim/index.ts";
import type { Emulator } from "../../src/emulator/index.ts";
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
    expect(await world.call("no-such-command")).toMatchObject({ status: 404 });

    const messages = await world.messages(20);
    const boot = board.mcu.boot;
    expect(messages.map(({ messageId }) => messageId)).toEqual(messages.map((_, n) => `mcu-${boot}-${n}`));
    expect(JSON.parse(String(messages[0]?.payload))).toMatchObject({ temperature: expect.any(Number) });
    expect(world.connections).toBe(1);
  });
});
