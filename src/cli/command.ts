import type { Logger, LogLevel } from "../log.ts";
import type { Terminal } from "./terminal.ts";

/** What scripts see: 0 done, 1 failed, 2 wrong usage or configuration. Single commands define more. */
export type ExitCode = number;

/** One option of a command. */
export interface OptionSpec {
  readonly type: "string" | "boolean";
  readonly short?: string;
  /** May be given more than once. */
  readonly multiple?: boolean;
  /** Stands for the value in the help text, such as `FILE`. */
  readonly value?: string;
  readonly help: string;
}

/** The option values of one invocation; options that were not given are absent. */
export type OptionValues = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** Everything a command may touch. */
export interface Invocation {
  readonly options: OptionValues;
  readonly positionals: readonly string[];
  readonly terminal: Terminal;
  readonly env: NodeJS.ProcessEnv;
  /** Aborts on the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /**
   * The logger for this invocation; it writes to standard error.
   * @param configured level from the configuration; `--log-level` stands over it
   */
  logger(configured?: LogLevel): Logger;
}

/** A command of the `landfall` program. Each one has a file of its own, loaded when it is called. */
export interface Command {
  readonly name: string;
  /** What follows the name in the usage line, such as `[FILE]`. */
  readonly operands?: string;
  /** A few sentences for `landfall <command> --help`, which breaks the lines. */
  readonly description: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Most positional arguments that make sense. Default 0. */
  readonly maxPositionals?: number;
  run(invocation: Invocation): Promise<ExitCode>;
  /** Where a failure of this command has another exit code than elsewhere. */
  exitCodeFor?(error: unknown): ExitCode;
}

/** `-c FILE`, for commands that read the configuration. */
export const configOption = {
  config: {
    type: "string",
    short: "c",
    value: "FILE",
    help: "configuration file (default: ./landfall.toml, then /etc/landfall/landfall.toml)",
  },
} as const satisfies Record<string, OptionSpec>;

/** `--json`, for commands that print a result of that schema. */
export function jsonOption(schema: string): { readonly json: OptionSpec } {
  return { json: { type: "boolean", help: `print the result as JSON (${schema})` } };
}

/** The value of a string option, or undefined. */
export function textOption(options: OptionValues, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}
