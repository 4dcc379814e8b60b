import { writeFile } from "node:fs/promises";
import { describeCause, LandfallError } from "../errors.ts";

/**
 * Writes a file that only its owner may read. Rejects with `key.already-there` when something has the name, and with
 * `key.not-created`.
 */
export async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { mode: 0o600, flag: "wx" });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") {
      throw new LandfallError("key.already-there", `${path} is there already.`, { cause });
    }
    throw new LandfallError("key.not-created", `Cannot write ${path}: ${describeCause(cause)}.`, { cause });
  }
}
