#!/usr/bin/env node
import { runProgram } from "./program.ts";
import { textSink } from "./terminal.ts";

const interrupted = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  // Only the first one is ours: a second signal ends the process at once, as the platform does by default.
  process.once(name, () => interrupted.abort(new Error(`interrupted by ${name}`)));
}

// A reader that went away (`landfall … | head`) is no reason to crash.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
}

process.exitCode = await runProgram({
  args: process.argv.slice(2),
  env: process.env,
  terminal: {
    input: process.stdin,
    out: textSink(process.stdout, process.env),
    err: textSink(process.stderr, process.env),
  },
  signal: interrupted.signal,
});
