import { describe, expect, test } from "vitest";
import { SimulatedMcu } from "../../firmware-sim/index.ts";
import { TpmIdentity } from "../../src/keys/tpm/tpm-identity.ts";
import { type Board, McuGateway, oneInAThousand } from "../support/mcu-gateway.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { Swtpm } from "../support/swtpm.ts";
import { lacks } from "../support/system-peer.ts";
import { tpmAt } from "../support/tpm-at.ts";

const folder = new ScratchFolder();

describe.skipIf(lacks("swtpm"))("a device whose TPM is behind its MCU", () => {
  const swtpm = new Swtpm({ socket: "unix", withEndorsementKey: true });

  test.each([
    ["a good line", {}],
    ["a line that spoils one byte in a thousand", oneInAThousand],
  ])(
    "is challenged, assigned, and signs for its hub over %s",
    async (line, faults) => {
      await using identity = new TpmIdentity({ tpm: tpmAt(swtpm.location) });
      const { endorsementKey } = await identity.rootKeys();
      const registrationId = "press-7";
      const mcu = new SimulatedMcu({
        identity: { registrationId, tpmSocket: swtpm.location.slice("swtpm:".length) },
        seed: 7,
      });
      const board: Board = { registrationId, attach: (far) => mcu.attach(far), close: () => mcu.close() };
      await using world = await McuGateway.open(folder.file(line), {
        board,
        faults,
        transport: "https",
        attestation: { method: "tpm", tpm: "mcu:", registration_id: registrationId },
        enroll: ({ dps }) =>
          dps.enroll({
            registrationId,
            attestation: { method: "tpm", endorsementKey: endorsementKey.toString("base64") },
          }),
      });
      await world.agent.start();
      const [first] = await world.messages(1);
      expect(first).toMatchObject({ deviceId: registrationId });
      expect(world.hub.connections.at(-1)).toMatchObject({ deviceId: registrationId, credential: "sas" });
    },
    120_000,
  );
});
