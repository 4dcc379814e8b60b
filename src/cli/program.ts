import { setImmediate as nextTurn } from "node:timers/promises";
import { nearest } from "../config/did-you-mean.ts";
import { isLandfallError, LandfallError } from "../errors.ts";
import { type LogLevel, logLevels } from "../log.ts";
import { version } from "../version.ts";
import type { Command, ExitCode, OptionValues } from "./command.ts";
import { commands } from "./commands.ts";
import { errorJson, errorReport, exitCodeFor } from "./error-report.ts";
import { commandHelp, programHelp } from "./help.ts";
import { Interruption } from "./interruption.ts";
import { lineLogger } from "./log-lines.ts";
import { parseCommandLine } from "./parse.ts";
import type { Terminal } from "./terminal.ts";

/** What the process gives to the program. */
export interface ProgramHost {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly terminal: Terminal;
  /** Aborts when the program shall end: with an {@link Interruption}, or with the error that leaves no other way. */
  readonly signal: AbortSignal;
}

/** Runs one command line and returns its exit code. Errors are reported here; nothing is thrown. */
export async function runProgram(host: ProgramHost): Promise<ExitCode> {
  const { args, terminal, signal } = host;
  try {
    const code = await dispatch(host);
    await nextTurn(); // a stream says what it could not write a little later
    // What was done and could not be said counts as not done.
    if (isLandfallError(signal.reason)) throw signal.reason;
    return code;
  } catch (error) {
    // Whoever interrupted a command knows why it ended.
    if (error instanceof Interruption) return error.exitCode;
    if (args.includes("--json")) terminal.out.write(errorJson(error));
    terminal.err.write(errorReport(error, terminal.err));
    return exitCodeOf(error, args[0]);
  }
}

async function exitCodeOf(error: unknown, name: string | undefined): Promise<ExitCode> {
  const command = await commands.find((each) => each.name === name)?.load();
  return command?.exitCodeFor?.(error) ?? exitCodeFor(error);
}

async function dispatch(host: ProgramHost): Promise<ExitCode> {
  const [name, ...rest] = host.args;
  const { out, err } = host.terminal;
  switch (name) {
    case undefined:
      err.write(programHelp(commands, err));
      return 2;
    case "--version":
    case "-V":
    case "version":
      out.write(`${version}\n`);
      return 0;
    case "--help":
    case "-h":
    case "help":
      out.write(rest[0] === undefined ? programHelp(commands, out) : commandHelp(await load(rest[0]), out));
      return 0;
    default:
      return runCommand(await load(name), rest, host);
  }
}

async function load(name: string): Promise<Command> {
  const entry = commands.find((command) => command.name === name);
  if (entry === undefined) {
    const meant = nearest(
      name,
      commands.map((each) => each.name),
    );
    const hint = meant === undefined ? "" : `; did you mean "${meant}"?`;
    throw new LandfallError("cli.usage", `unknown command "${name}"${hint}`);
  }
  return entry.load();
}

async function runCommand(
  command: Command,
  args: readonly string[],
  { env, terminal, signal }: ProgramHost,
): Promise<ExitCode> {
  const { options, positionals } = parseCommandLine(command, args);
  if (options.help === true) {
    terminal.out.write(commandHelp(command, terminal.out));
    return 0;
  }
  const chosen = chosenLogLevel(options);
  return command.run({
    options,
    positionals,
    terminal,
    env,
    signal,
    logger: (configured = "info") => lineLogger(chosen ?? configured, terminal.err),
  });
}

function chosenLogLevel(options: OptionValues): LogLevel | undefined {
  const level = options["log-level"];
  if (level === undefined) return undefined;
  if (logLevels.includes(level as LogLevel)) return level as LogLevel;
  throw new LandfallError("cli.usage", `--log-level: expected one of ${logLevels.join(", ")}, got "${String(level)}"`);
}
