import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LandfallError } from "../../errors.ts";
import type { Secret } from "../../secret.ts";

/**
 * Runs `work` while a file, which only this user may read, holds the PIN. The engine writes the URI of a key that it
 * does not find to standard error, with the PIN if it stands in it; so it gets the name of a file.
 *
 * Everything happens at once, and the file is gone before anything else in this process runs. It lies in memory where
 * the system has such a folder for the user.
 */
export function withPinFile<T>(pin: Secret, work: (path: string) => T, env: NodeJS.ProcessEnv = process.env): T {
  const folder = makeFolder(env.XDG_RUNTIME_DIR);
  try {
    const file = join(folder, "pin");
    writeFileSync(file, pin.reveal(), { mode: 0o600, flag: "wx" });
    return work(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeFolder(runtimeFolder: string | undefined): string {
  const tried: unknown[] = [];
  for (const parent of [runtimeFolder, "/dev/shm", tmpdir()]) {
    if (!parent) continue;
    try {
      return mkdtempSync(join(parent, "landfall-pin-"));
    } catch (error) {
      tried.push(error);
    }
  }
  throw new LandfallError("key.hardware-failed", "There is no folder to hand the PIN over in.", {
    cause: new AggregateError(tried),
  });
}
