import { mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LandfallError } from "../errors.ts";

/** The path of a socket has room for 107 bytes; what is made in the folder, and the folder's own name, take some of them. */
const longestParentBytes = 80;

/**
 * Makes a new folder of random name that no other user can enter or exchange: where the system keeps such folders for the
 * user, in memory if it can, else among temporary files. Throws `key.hardware-failed` when there is no place for one.
 */
export function makePrivateFolder(env: NodeJS.ProcessEnv = process.env, userId = process.getuid?.()): string {
  const failures: unknown[] = [];
  for (const parent of [env.XDG_RUNTIME_DIR, "/dev/shm", tmpdir()]) {
    if (!parent || Buffer.byteLength(parent) > longestParentBytes) continue;
    try {
      requireSafe(parent, userId);
      return mkdtempSync(join(parent, "landfall-"));
    } catch (error) {
      failures.push(error);
    }
  }
  throw new LandfallError("key.hardware-failed", "There is no place for a private folder of this process.", {
    cause: new AggregateError(failures),
  });
}

/**
 * Whoever may rename what lies in a folder could put one of his own in the place of ours, such as the user whose
 * environment a superuser has taken over. In a sticky folder nobody may who does not own what he renames.
 */
function requireSafe(parent: string, userId: number | undefined): void {
  const { uid, mode } = statSync(parent);
  const isSticky = (mode & 0o1000) !== 0;
  const isOwn = userId === undefined || uid === userId || uid === 0;
  if (!isSticky && !(isOwn && (mode & 0o022) === 0)) throw new Error(`others can change ${parent}`);
}
