#!/usr/bin/env node
import { LandfallError } from "../errors.ts";
import { crashReport } from "./error-report.ts";
import { Interruption } from "./interruption.ts";
import { runProgram } from "./program.ts";
import { textSink } from "./terminal.ts";

const { env, stdin, stdout, stderr } = process;
const ending = new AbortController();

// The MQTT library would print whole packets under this variable, bodies included; NODE_DEBUG=landfall shows them without.
delete env.DEBUG;

const onInterrupt = (name: "SIGINT" | "SIGTERM"): void => {
  // Only the first one is ours: a second one ends the process at once, as the platform does by default.
  process.off("SIGINT", onInterrupt).off("SIGTERM", onInterrupt);
  ending.abort(new Interruption(name));
};
process.on("SIGINT", onInterrupt).on("SIGTERM", onInterrupt);

const out = textSink(stdout, {
  env,
  onFailure: (cause) => {
    // A reader that went away (`landfall … | head`) has seen enough.
    const enough = cause.code === "EPIPE" || cause.code === "EIO";
    const failed = new LandfallError("cli.output-failed", "the result cannot be written to standard output", { cause });
    ending.abort(enough ? new Interruption("SIGPIPE") : failed);
  },
});
const err = textSink(stderr, {
  env,
  onFailure: ({ code }) => {
    // A full disk or a logger that died must not stop an agent; a terminal that was closed is meant to.
    if (code === "EIO") ending.abort(new Interruption("SIGHUP"));
  },
});

process.on("uncaughtException", (error) => {
  // The platform's own report would show every property of the error, and a property may hold a secret.
  err.write(crashReport(error, err));
  process.exit(1);
});

// Not awaited at the top: the single file for devices is a CommonJS module, which starts faster and cannot do that.
void runProgram({
  args: process.argv.slice(2),
  env,
  terminal: { input: stdin, out, err },
  signal: ending.signal,
}).then((exitCode) => {
  process.exitCode = exitCode;
});
