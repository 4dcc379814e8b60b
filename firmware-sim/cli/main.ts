#!/usr/bin/env node
import { describeCause, isLandfallError } from "../../src/errors.ts";
import { runSimulator } from "./run-simulator.ts";

const ending = new AbortController();
// Only the first one is ours: a second one ends the process at once, as the platform does by default.
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => ending.abort());

try {
  await runSimulator(process.argv.slice(2), {
    print: (line) => void process.stdout.write(`${line}\n`),
    note: (line) => void process.stderr.write(`${line}\n`),
    signal: ending.signal,
  });
} catch (error) {
  const cause = error instanceof Error && error.cause !== undefined ? ` (${describeCause(error.cause)})` : "";
  process.stderr.write(`landfall-mcu-sim: ${error instanceof Error ? error.message : describeCause(error)}${cause}\n`);
  // As everywhere in landfall: 2 is wrong usage, 1 everything else.
  process.exitCode = isLandfallError(error) && ["cli.usage", "simulator.rejected"].includes(error.code) ? 2 : 1;
}
