import { whenAborted } from "../../src/abort.ts";
import { openLine } from "../lines/open-line.ts";
import { SimulatedMcu } from "../simulated-mcu.ts";
import { readArguments } from "./arguments.ts";
import { helpText } from "./help.ts";

/** What the program has of its process. */
export interface SimulatorHost {
  /** A line for whoever started it. */
  readonly print: (line: string) => void;
  /** A line for whoever watches it. */
  readonly note: (line: string) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** `landfall-mcu-sim`: runs one simulated MCU until the signal. Rejects with `cli.usage` or `simulator.rejected`. */
export async function runSimulator(args: readonly string[], { print, note, signal }: SimulatorHost): Promise<void> {
  const { help, verbose, place, mcu: options, misbehaviours } = readArguments(args);
  if (help) return print(helpText);
  using mcu = new SimulatedMcu(options);
  if (verbose) watch(mcu, note);
  for (const misbehaviour of misbehaviours) mcu.misbehave(misbehaviour);
  await using line = await openLine((stream) => mcu.attach(stream), place);
  await mcu.whenRunning({ signal });
  const { registrationId, version, boot } = mcu;
  // A key that was given is known to whoever gave it.
  const key = options.identity?.symmetricKey === undefined ? { symmetricKey: mcu.symmetricKey } : {};
  const ready = { schema: "landfall.mcu-sim/1", port: line.address, registrationId, ...key, version, boot };
  print(JSON.stringify(ready));
  await whenAborted(signal);
}

function watch(mcu: SimulatedMcu, note: (line: string) => void): void {
  mcu.on("started", ({ version, boot }) => note(`started ${version}, boot ${boot}`));
  mcu.on("ended", (why) => note(`ended: ${why}`));
  mcu.on("asked", ({ operation, group, command }) => note(`${operation} ${group}/${command}`));
  mcu.on("executed", ({ name, id }) => note(`executed ${name} (${id})`));
  mcu.on("answered", ({ n }) => note(`message ${n} was passed on`));
  mcu.on("committed", (settings) => note(`settings: ${JSON.stringify(settings)}`));
}
