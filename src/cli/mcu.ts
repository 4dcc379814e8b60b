import { isLandfallError, LandfallError } from "../errors.ts";
import { type Command, configOption, type ExitCode, type Invocation, jsonOption } from "./command.ts";
import { exitCodeFor } from "./error-report.ts";
import { mcuPortOptions } from "./mcu-port-options.ts";

interface Action {
  /** Most operands after the action's own name. */
  readonly operands: number;
  /** Each action has a file of its own, loaded when it is called. */
  load(): Promise<(invocation: Invocation) => Promise<ExitCode>>;
}

const actions: Readonly<Record<string, Action>> = {
  info: { operands: 0, load: async () => (await import("./mcu/info.ts")).info },
  flash: { operands: 1, load: async () => (await import("./mcu/flash.ts")).flash },
  monitor: { operands: 0, load: async () => (await import("./mcu/monitor.ts")).monitor },
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
    ...configOption,
    ...mcuPortOptions,
    "allow-downgrade": { type: "boolean", help: "flash: take an image that is older than the running one" },
    telemetry: {
      type: "boolean",
      help: "monitor: also have the MCU send its messages; they are taken from it and do not reach the hub",
    },
    ...jsonOption("landfall.mcu-info/1, landfall.mcu-flash/1; monitor prints landfall.mcu-line/1 lines"),
  },
  maxPositionals: Number.POSITIVE_INFINITY,
  async run(invocation) {
    const [name = "", ...operands] = invocation.positionals;
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) {
      const found = name === "" ? "nothing" : `"${name}"`;
      throw new LandfallError("cli.usage", `mcu: expected info, flash or monitor, got ${found}`);
    }
    if (operands.length > action.operands) {
      throw new LandfallError("cli.usage", `mcu ${name}: unexpected argument "${operands[action.operands]}"`);
    }
    return (await action.load())(invocation);
  },
  exitCodeFor: (error) =>
    isLandfallError(error) && error.code === "firmware.reverted" ? reverted : exitCodeFor(error),
};
