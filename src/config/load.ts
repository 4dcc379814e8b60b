import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parse, TomlError } from "smol-toml";
import { describeCause, LandfallError } from "../errors.ts";
import { judgeTable, type LoadedSettings, type SettingsOrigin } from "./settings-from.ts";

/** Where a configuration is looked for when none is named, in this order. */
export const defaultFiles = ["landfall.toml", "/etc/landfall/landfall.toml"] as const;

/** How {@link loadSettings} looks for the file. */
export interface LoadOptions extends Omit<SettingsOrigin, "baseDirectory"> {
  /** The file to read. Default: the first of {@link defaultFiles} that exists. */
  readonly file?: string;
  /** Where relative file names start. Default: the working directory. */
  readonly workingDirectory?: string;
}

/** Valid settings, and the file they came from. */
export interface LoadedFile extends LoadedSettings {
  /** Absolute path. */
  readonly file: string;
}

/**
 * Finds, reads and validates the configuration file. Paths in it start from its own folder. Nothing is contacted.
 *
 * Rejects with `config.not-found`, `config.unreadable`, or `config.invalid` with one line in `details` for every fault
 * (a single one, with line and column, where the file is not TOML at all).
 */
export async function loadSettings(options: LoadOptions = {}): Promise<LoadedFile> {
  const { workingDirectory = process.cwd(), file: named, ...origin } = options;
  const candidates = (named === undefined ? defaultFiles : [named]).map((name) => resolve(workingDirectory, name));
  const { file, text } = await firstReadable(candidates);
  const loaded = await judgeTable(parseToml(text, file), { ...origin, file, baseDirectory: dirname(file) });
  return { ...loaded, file };
}

async function firstReadable(candidates: readonly string[]): Promise<{ readonly file: string; readonly text: string }> {
  for (const file of candidates) {
    try {
      return { file, text: await readFile(file, "utf8") };
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") continue;
      throw new LandfallError("config.unreadable", `${file} cannot be read: ${describeCause(cause)}`, { cause });
    }
  }
  throw new LandfallError("config.not-found", `There is no ${candidates.join(" and no ")}.`);
}

function parseToml(text: string, file: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The parser's message quotes the lines around the fault, which may hold a secret: only its first line goes on, and
    // the error itself is not kept as the cause.
    const [reason = ""] = error.message.split("\n");
    const details = [`${file}:${error.line}:${error.column}: ${reason}`];
    throw new LandfallError("config.invalid", `${file} is not valid TOML.`, { details });
  }
}
