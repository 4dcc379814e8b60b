import { seededRandom } from "../../src/emulator/randomness.ts";
import { portAt } from "../../src/serial/port-at.ts";
import { mcuInMemory, simulatorFacts } from "../support/simulated-mcu.ts";
import { mcuContract } from "./mcu.ts";
import { mcuWireContract } from "./mcu-wire.ts";

mcuContract("the simulator", simulatorFacts, async () => mcuInMemory());
mcuWireContract("the simulator", async () => mcuInMemory());

// One byte in a thousand goes wrong.
const faults = { corruption: 0.0004, loss: 0.0003, duplication: 0.0003 };
const random = seededRandom(1);
mcuContract("the simulator on a faulty line", simulatorFacts, async () => mcuInMemory({ ...faults, random }));

// A board on the desk, such as LANDFALL_MCU=/dev/ttyACM0. Its images and its keys are its own.
const { LANDFALL_MCU: board } = process.env;
if (board !== undefined) {
  const open = async () => ({ port: portAt(board), close: async () => {} });
  mcuContract(`the board at ${board}`, {}, open);
  mcuWireContract(`the board at ${board}`, open);
}
