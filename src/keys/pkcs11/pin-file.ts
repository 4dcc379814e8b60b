import { accessSync, closeSync, constants, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Secret } from "../../secret.ts";
import { makePrivateFolder } from "../private-folder.ts";

/**
 * Runs `work` while a path, of use to this user alone, leads to the PIN. The engine writes the URI of a key that it does
 * not find to standard error, with the PIN if it stands in it; so it gets such a path.
 *
 * The file has lost its name before the PIN is in it: a module that crashes takes the process with it, and must not leave
 * a PIN behind. Where an open file cannot be named, it keeps its name until `work` is done, which it is at once.
 */
export function withPinFile<T>(pin: Secret, work: (path: string) => T): T {
  const folder = makePrivateFolder();
  try {
    const named = join(folder, "pin");
    const descriptor = openSync(named, "wx+", 0o600);
    try {
      const nameless = `/proc/self/fd/${descriptor}`;
      const isReachable = canRead(nameless);
      if (isReachable) rmSync(folder, { recursive: true });
      writeSync(descriptor, pin.reveal());
      return work(isReachable ? nameless : named);
    } finally {
      closeSync(descriptor);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function canRead(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
