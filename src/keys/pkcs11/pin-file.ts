import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Secret } from "../../secret.ts";
import { makePrivateFolder } from "../private-folder.ts";

/**
 * Runs `work` while a file, which only this user may read, holds the PIN. The engine writes the URI of a key that it
 * does not find to standard error, with the PIN if it stands in it; so it gets the name of a file.
 *
 * Everything happens at once, and the file is gone before anything else in this process runs.
 */
export function withPinFile<T>(pin: Secret, work: (path: string) => T): T {
  const folder = makePrivateFolder();
  try {
    const file = join(folder, "pin");
    writeFileSync(file, pin.reveal(), { mode: 0o600, flag: "wx" });
    return work(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
