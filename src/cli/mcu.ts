import { isLandfallError } from "../errors.ts";
import { type Actions, optionsOf, runAction } from "./actions.ts";
import { type Command, configOption, jsonOption } from "./command.ts";
import { exitCodeFor } from "./error-report.ts";
import { mcuPortOptions } from "./mcu-port-options.ts";

const place = { ...configOption, ...mcuPortOptions };

const actions: Actions = {
  info: { operands: 0, options: place, load: async () => (await import("./mcu/info.ts")).info },
  flash: {
    operands: 1,
    options: {
      ...place,
      "allow-downgrade": { type: "boolean", help: "flash: take an image that is older than the running one" },
    },
    load: async () => (await import("./mcu/flash.ts")).flash,
  },
  monitor: {
    operands: 0,
    options: {
      ...place,
      telemetry: {
        type: "boolean",
        help: "monitor: also have the MCU send its messages; they are taken from it and do not reach the hub",
      },
    },
    load: async () => (await import("./mcu/monitor.ts")).monitor,
  },
};

/** The exit code of an update that ended with the former firmware. */
const reverted = 3;

/** `landfall mcu`: the microcontroller on the serial port, without an agent. */
export const mcu: Command = {
  name: "mcu",
  operands: "info | flash FILE | monitor",
  description:
    "info tells what the MCU says of itself. flash checks an image of MCUboot, uploads it, starts it, and confirms it once " +
    "the MCU is healthy; the former firmware comes back otherwise (exit code 3), and an upload that was interrupted is " +
    "taken up where it was. monitor prints what the MCU prints, until it is interrupted. The port has one user: stop the " +
    "agent first.",
  options: {
    ...optionsOf(actions),
    ...jsonOption("landfall.mcu-info/1, landfall.mcu-flash/1; monitor prints landfall.mcu-line/1 lines"),
  },
  maxPositionals: Number.POSITIVE_INFINITY,
  run: (invocation) => runAction("mcu", actions, invocation),
  exitCodeFor: (error) =>
    isLandfallError(error) && error.code === "firmware.reverted" ? reverted : exitCodeFor(error),
};
