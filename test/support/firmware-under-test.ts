import { beforeAll, describe } from "vitest";
import { seededRandom } from "../../src/emulator/randomness.ts";
import { portAt } from "../../src/serial/port-at.ts";
import type { FaultyLinkOptions } from "../../src/testing/faulty-link.ts";
import { mcuContract } from "../contract/mcu.ts";
import type { McuUnderTest } from "../contract/mcu-scene.ts";
import { mcuWireContract } from "../contract/mcu-wire.ts";
import { type Board, lacksBoard, makeFirmware, provision, startFirmware } from "./c-firmware.ts";
import { faultyPort } from "./faulty-port.ts";
import { ScratchFolder } from "./scratch-folder.ts";
import { simulatorFacts, testIdentity } from "./simulated-mcu.ts";

const folder = new ScratchFolder();
// One byte in a thousand goes wrong.
const faults = { corruption: 0.0004, loss: 0.0003, duplication: 0.0003 };

let started = 0;

/** The sample firmware on a board that was never used, at the end of a line as good or bad as a test wants it. */
async function open(board: Board, quality?: FaultyLinkOptions): Promise<McuUnderTest> {
  started += 1;
  const files = { flash: folder.file(`${started}.flash`), socket: folder.file(`${started}.sock`) };
  const { registrationId: rid, symmetricKey, certificate, privateKey } = testIdentity;
  await provision(files.flash, {
    rid,
    key: await folder.write("key", symmetricKey),
    p256: await folder.write("key.pem", privateKey),
    cert: await folder.write("cert.pem", certificate),
  });
  let firmware = await startFirmware(board, files);
  const port = portAt(`unix:${files.socket}`);
  return {
    port: quality === undefined ? port : faultyPort(port, quality),
    patience: { tries: 40, timeoutMs: 300 },
    cyclePower: async () => {
      await firmware.cutPower();
      firmware = await startFirmware(board, files);
    },
    close: () => firmware.cutPower(),
  };
}

/** Holds the sample firmware on a board to everything that every MCU is held to, at a clean line and at a faulty one. */
export function firmwareContract(board: Board): void {
  describe.skipIf(lacksBoard(board))(`on ${board}`, () => {
    beforeAll(async () => {
      await makeFirmware(board);
    }, 240_000);

    mcuWireContract("the sample firmware", () => open(board));
    mcuContract("the sample firmware", simulatorFacts, () => open(board));
    const random = seededRandom(2);
    mcuContract("the sample firmware on a faulty line", simulatorFacts, () => open(board, { ...faults, random }));
  });
}
