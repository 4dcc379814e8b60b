import { type ParseArgsConfig, parseArgs } from "node:util";
import { LandfallError } from "../errors.ts";
import type { Command, OptionSpec, OptionValues } from "./command.ts";

/** Options that every command takes. */
export const commonOptions = {
  "log-level": {
    type: "string",
    value: "LEVEL",
    help: "trace, debug, info, warn, error or silent; stands over [log] level",
  },
  help: { type: "boolean", short: "h", help: "show this help" },
} as const satisfies Record<string, OptionSpec>;

/** The arguments of one command, parsed. Rejects what the command does not know with `cli.usage`. */
export function parseCommandLine(
  command: Command,
  args: readonly string[],
): { options: OptionValues; positionals: string[] } {
  const options: NonNullable<ParseArgsConfig["options"]> = {};
  for (const [name, spec] of Object.entries({ ...command.options, ...commonOptions } as Record<string, OptionSpec>)) {
    options[name] = {
      type: spec.type,
      ...(spec.short === undefined ? {} : { short: spec.short }),
      ...(spec.multiple === undefined ? {} : { multiple: spec.multiple }),
    };
  }
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
    const most = command.maxPositionals ?? 0;
    if (positionals.length > most) {
      throw new LandfallError("cli.usage", `${command.name}: unexpected argument "${positionals[most]}"`);
    }
    return { options: values as OptionValues, positionals };
  } catch (error) {
    if (error instanceof LandfallError) throw error;
    throw new LandfallError("cli.usage", `${command.name}: ${whatIsWrong(error)}`, { cause: error });
  }
}

/** The platform's message without the advice behind it, which can be lines long. */
function whatIsWrong(error: unknown): string {
  const { message } = error as Error;
  return message.split(/\n|\. To specify/, 1)[0] ?? message;
}
