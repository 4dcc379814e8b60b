import type { Command, OptionSpec } from "./command.ts";
import { commonOptions } from "./parse.ts";
import type { TextSink } from "./terminal.ts";

/** Columns that a help text may take. */
const widest = 100;

/** A command as the overview lists it. */
export interface CommandSummary {
  readonly name: string;
  readonly summary: string;
}

/** The text of `landfall --help`. */
export function programHelp(commands: readonly CommandSummary[], sink: TextSink): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    "landfall, a device agent for Azure IoT",
    "",
    sink.style("bold", "Usage:  landfall <command> [options]"),
    "",
    sink.style("bold", "Commands:"),
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "Help on one command:  landfall help <command>",
    "Exit codes:  0 done, 1 failed, 2 wrong usage or configuration",
    "",
  ].join("\n");
}

/** The text of `landfall <command> --help`. */
export function commandHelp(command: Command, sink: TextSink): string {
  const options = Object.entries({ ...command.options, ...commonOptions } as Record<string, OptionSpec>).map(
    ([name, spec]) => [optionSyntax(name, spec), spec.help] as const,
  );
  const width = Math.max(...options.map(([syntax]) => syntax.length));
  const operands = command.operands === undefined ? "" : ` ${command.operands}`;
  return [
    sink.style("bold", `Usage:  landfall ${command.name}${operands} [options]`),
    "",
    ...command.description.split("\n").map((paragraph) => folded(paragraph, 0)),
    "",
    sink.style("bold", "Options:"),
    ...options.map(([syntax, help]) => `  ${syntax.padEnd(width)}  ${folded(help, width + 4)}`),
    "",
  ].join("\n");
}

/** Broken between words, every line but the first one indented. */
function folded(text: string, indent: number): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && indent + longer.length > widest) lines.push(word);
    else lines[Math.max(0, lines.length - 1)] = longer;
  }
  return lines.join(`\n${" ".repeat(indent)}`);
}

function optionSyntax(name: string, { short, type, value }: OptionSpec): string {
  const operand = type === "string" ? ` ${value ?? "VALUE"}` : "";
  return `${short === undefined ? "    " : `-${short}, `}--${name}${operand}`;
}
