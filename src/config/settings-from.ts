import { homedir } from "node:os";
import { LandfallError } from "../errors.ts";
import { assemble } from "./assemble.ts";
import { type Fault, faultLine } from "./fault.ts";
import type { Surroundings } from "./place.ts";
import { judgeMode, readReferencedFiles } from "./referenced-files.ts";
import type { Settings } from "./settings.ts";
import type { Configuration } from "./settings-schema.ts";
import { validate } from "./validate.ts";

/** A configuration that was found valid. */
export interface LoadedSettings {
  readonly settings: Settings;
  /** What works but should be known, each a sentence; to be logged at the level `warn`. */
  readonly warnings: readonly string[];
}

/** Where a configuration comes from; every part has the running process as its default. */
export interface SettingsOrigin extends Partial<Surroundings> {
  /** The file that holds the configuration: its mode is checked when a secret stands in it, and messages name it. */
  readonly file?: string;
}

/**
 * Makes settings from a configuration that a program has written: the shape and names of the TOML file, as an object.
 * Reads the files it points to, and contacts nothing. The object is not kept or changed.
 *
 * Rejects with `config.invalid`, which has one line in `details` for every fault: unknown and missing settings, wrong
 * types and ranges, settings that contradict each other, and files that cannot be read or that everybody can read.
 */
export async function settingsFrom(configuration: Configuration, origin: SettingsOrigin = {}): Promise<LoadedSettings> {
  return judgeTable(configuration, origin);
}

/** {@link settingsFrom} for a table that nobody has looked at yet. */
export async function judgeTable(table: unknown, origin: SettingsOrigin): Promise<LoadedSettings> {
  const validation = validate(table, surroundingsOf(origin));
  const files = await readReferencedFiles(validation.files);
  const ownFile =
    validation.holdsSecret && origin.file !== undefined ? await judgeMode(origin.file, origin.file) : nothing;
  const faults = [...validation.faults, ...files.faults, ...ownFile.faults];
  if (faults.length > 0 || validation.draft === undefined) throw invalid(faults, origin.file);
  const warnings = [...validation.warnings, ...files.warnings, ...ownFile.warnings];
  return { settings: assemble(validation.draft, files.open), warnings };
}

const nothing = { faults: [], warnings: [] };

function surroundingsOf({ env = process.env, baseDirectory, isRoot }: SettingsOrigin): Surroundings {
  return {
    env: { HOME: homedir(), ...env },
    baseDirectory: baseDirectory ?? process.cwd(),
    isRoot: isRoot ?? process.getuid?.() === 0,
  };
}

function invalid(faults: readonly Fault[], file = "The configuration"): LandfallError {
  const details = faults.map(faultLine);
  return new LandfallError(
    "config.invalid",
    `${file} is not valid: ${details.length === 1 ? "one fault" : `${details.length} faults`}.`,
    { details },
  );
}
