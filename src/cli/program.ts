import { isLandfallError, LandfallError } from "../errors.ts";
import { type LogLevel, logLevels } from "../log.ts";
import { version } from "../version.ts";
import type { ExitCode, OptionValues } from "./command.ts";
import { commands } from "./commands.ts";
import { errorJson, errorReport, exitCodeFor } from "./error-report.ts";
import { commandHelp, programHelp } from "./help.ts";
import { lineLogger } from "./log-lines.ts";
import { parseCommandLine } from "./parse.ts";
import type { Terminal } from "./terminal.ts";

/** What the process gives to the program. */
export interface ProgramHost {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** Runs one command line and returns its exit code. Errors are reported here; nothing is thrown. */
export async function runProgram({ args, env, terminal, signal }: ProgramHost): Promise<ExitCode> {
  const [name, ...rest] = args;
  if (name === "--version" || name === "-V" || name === "version") {
    terminal.out.write(`${version}\n`);
    return 0;
  }
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    const sink = name === undefined ? terminal.err : terminal.out;
    sink.write(programHelp(commands, sink));
    return name === undefined ? 2 : 0;
  }
  const wantsJson = rest.includes("--json");
  try {
    const entry = commands.find((command) => command.name === name);
    if (entry === undefined) throw new LandfallError("cli.usage", `unknown command "${name}"`);
    const command = await entry.load();
    const { options, positionals } = parseCommandLine(command, rest);
    if (options.help === true) {
      terminal.out.write(commandHelp(command, terminal.out));
      return 0;
    }
    const chosen = chosenLogLevel(options);
    return await command.run({
      options,
      positionals,
      terminal,
      env,
      signal,
      logger: (configured = "info") => lineLogger(chosen ?? configured, terminal.err),
    });
  } catch (error) {
    return report(error, terminal, wantsJson, signal);
  }
}

function chosenLogLevel(options: OptionValues): LogLevel | undefined {
  const level = options["log-level"];
  if (level === undefined) return undefined;
  if (logLevels.includes(level as LogLevel)) return level as LogLevel;
  throw new LandfallError("cli.usage", `--log-level: expected one of ${logLevels.join(", ")}, got "${String(level)}"`);
}

function report(error: unknown, terminal: Terminal, json: boolean, signal: AbortSignal): ExitCode {
  // A command that was interrupted has nothing to explain; 130 is what shells expect.
  if (signal.aborted && !isLandfallError(error)) return 130;
  if (json) terminal.out.write(errorJson(error));
  terminal.err.write(errorReport(error, terminal.err));
  return exitCodeFor(error);
}
