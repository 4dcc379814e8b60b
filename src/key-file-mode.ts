import { stat } from "node:fs/promises";
import { describeCause, LandfallError } from "./errors.ts";

/** What others than the owner may do with a file that ought to be private. */
export interface KeyFileMode {
  readonly openTo: "nobody" | "group" | "everybody";
  /** The permission bits in octal, such as `0640`. */
  readonly mode: string;
  /** The command that closes the file to all but its owner. */
  readonly remedy: string;
}

const groupBits = 0o060;
const everybodyBits = 0o006;

/**
 * Looks at the permissions of a file that holds a private key or another secret; symbolic links are followed.
 * Where permissions say nothing (Windows) every file counts as private.
 * Rejects with `config.secret-unreadable` when there is no such file.
 */
export async function keyFileMode(path: string): Promise<KeyFileMode> {
  const bits = await permissionBits(path);
  const openTo = bits & everybodyBits ? "everybody" : bits & groupBits ? "group" : "nobody";
  return { openTo, mode: bits.toString(8).padStart(4, "0"), remedy: `chmod 600 ${shellWord(path)}` };
}

/**
 * Refuses a private file that every user of the machine may read or write, and warns about one that its group may.
 * Rejects with `key.world-readable` or `config.secret-unreadable`.
 * @returns a warning that carries the `chmod` to run, when there is one
 */
export async function checkKeyFileMode(path: string): Promise<{ readonly warning?: string }> {
  const { openTo, mode, remedy } = await keyFileMode(path);
  if (openTo === "everybody") {
    throw new LandfallError(
      "key.world-readable",
      `${path} is open to every user of this machine (mode ${mode}); run: ${remedy}`,
    );
  }
  return openTo === "group" ? { warning: `${path} is open to its group (mode ${mode}); run: ${remedy}` } : {};
}

async function permissionBits(path: string): Promise<number> {
  try {
    const { mode } = await stat(path);
    return process.platform === "win32" ? 0o600 : mode & 0o777;
  } catch (cause) {
    throw new LandfallError("config.secret-unreadable", `${path} cannot be read: ${describeCause(cause)}`, { cause });
  }
}

/** The path as a shell takes it, quoted only where it must be. */
function shellWord(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) && !path.startsWith("-") ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
