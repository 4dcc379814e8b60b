import { SimulatedMcu } from "../../firmware-sim/index.ts";
import { openLine } from "../../firmware-sim/lines/open-line.ts";
import { seededRandom } from "../../src/emulator/randomness.ts";
import { portAt } from "../../src/serial/port-at.ts";
import type { FaultyLinkOptions } from "../../src/testing/faulty-link.ts";
import { mcuContract } from "../contract/mcu.ts";
import type { McuUnderTest } from "../contract/mcu-scene.ts";
import { mcuWireContract } from "../contract/mcu-wire.ts";
import { faultyPort } from "../support/faulty-port.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { simulatorFacts, testIdentity } from "../support/simulated-mcu.ts";

const folder = new ScratchFolder();
let made = 0;

/** The simulator behind a pseudo terminal, which is opened as any serial device is; its flash is a file. */
async function onTerminal(quality?: FaultyLinkOptions): Promise<McuUnderTest> {
  made += 1;
  const mcu = new SimulatedMcu({ identity: testIdentity, flash: folder.file(`${made}.flash`) });
  const line = await openLine((stream) => mcu.attach(stream), { kind: "terminal" });
  const port = portAt(line.address);
  return {
    port: quality === undefined ? port : faultyPort(port, quality),
    patience: { tries: 40, timeoutMs: 300 },
    cyclePower: async () => {
      mcu.cutPower();
      mcu.restorePower();
    },
    close: async () => {
      mcu.close();
      await line.close();
    },
  };
}

mcuWireContract("the simulator on a pseudo terminal", () => onTerminal());
mcuContract("the simulator on a pseudo terminal", simulatorFacts, () => onTerminal());

// One byte in a thousand goes wrong.
const faults = { corruption: 0.0004, loss: 0.0003, duplication: 0.0003 };
const random = seededRandom(3);
mcuContract("the simulator on a faulty serial line", simulatorFacts, () => onTerminal({ ...faults, random }));
