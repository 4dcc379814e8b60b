import { constants } from "node:fs";
import { access, readFile, stat } from "node:fs/promises";
import { describeCause } from "../errors.ts";
import { keyFileMode } from "../key-file-mode.ts";
import type { Fault } from "./fault.ts";
import type { FileReference, Sourced } from "./file-reference.ts";

/** More than any key, certificate chain or payload needs; keeps a setting that points to a disk image from being read. */
const largestBytes = 1_048_576;

/** The files that a configuration points to, looked at. */
export interface ReferencedFiles {
  /** The value of a setting. Throws only for a file that {@link faults} names. */
  open<T>(source: Sourced<T>): T;
  readonly faults: readonly Fault[];
  readonly warnings: readonly string[];
}

/** Reads every file that validation noted, and checks who may read the private ones. Never rejects. */
export async function readReferencedFiles(references: readonly FileReference[]): Promise<ReferencedFiles> {
  const values = new Map<FileReference, unknown>();
  const faults: Fault[] = [];
  const warnings: string[] = [];
  for (const reference of references) {
    const outcome = await look(reference);
    faults.push(...outcome.faults);
    warnings.push(...outcome.warnings);
    if ("value" in outcome) values.set(reference, outcome.value);
  }
  const open = <T>(source: Sourced<T>): T => {
    if (source.kind === "known") return source.value;
    if (!values.has(source.reference)) throw new TypeError(`${source.reference.file} was not read`);
    return values.get(source.reference) as T;
  };
  return { open, faults, warnings };
}

interface Look {
  readonly value?: unknown;
  readonly faults: readonly Fault[];
  readonly warnings: readonly string[];
}

async function look(reference: FileReference): Promise<Look> {
  const { path, file, isPrivate, parse } = reference;
  try {
    await checkReadable(file);
    const { faults, warnings } = isPrivate ? await judgeMode(path, file) : { faults: [], warnings: [] };
    const result = parse === undefined ? { value: undefined } : parse(await readFile(file));
    if ("value" in result) return { value: result.value, faults, warnings };
    return {
      faults: [...faults, { path, ...result.problem, found: `${result.problem.found} (in ${file})` }],
      warnings,
    };
  } catch (cause) {
    const fault = { path, expected: "a file that can be read", found: reasonOf(cause, file) };
    return { faults: [{ ...fault, code: "config.secret-unreadable" }], warnings: [] };
  }
}

/** What the mode of a private file comes to, as a fault or a warning on the setting that names it. */
export async function judgeMode(path: string, file: string): Promise<Look> {
  const { openTo, mode, remedy } = await keyFileMode(file);
  const fault: Fault = {
    path,
    expected: "a file that only its owner may read",
    found: `${file} open to every user of this machine (mode ${mode})`,
    hint: `run: ${remedy}`,
    code: "key.world-readable",
  };
  return {
    faults: openTo === "everybody" ? [fault] : [],
    warnings: openTo === "group" ? [`${path}: ${file} is open to its group (mode ${mode}); run: ${remedy}`] : [],
  };
}

async function checkReadable(file: string): Promise<void> {
  const found = await stat(file);
  if (!found.isFile()) throw new Error(`${file}, which is not a file`);
  if (found.size > largestBytes) throw new Error(`${file} with ${found.size} bytes, more than ${largestBytes}`);
  await access(file, constants.R_OK);
}

function reasonOf(cause: unknown, file: string): string {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === "ENOENT") return `no file ${file}`;
  return code === "EACCES" ? `${file}, which this user may not read` : describeCause(cause);
}
