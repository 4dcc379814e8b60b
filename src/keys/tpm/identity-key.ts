import { readHandles } from "./capability-commands.ts";
import { evictControl } from "./key-commands.ts";
import { refusedWith } from "./response-error.ts";
import type { Authorization } from "./tpm-command.ts";
import type { TpmScope } from "./tpm-scope.ts";

/*
 * The key that signs for the device at its hub. A TPM cannot exchange a persistent key in one step, and power may fail
 * between any two; so a new key is first put beside the old one:
 *
 *   at 0x81000100    old    old    -      new    new
 *   at 0x81000101    -      new    new    new    -
 *
 * The key beside is the newer one whenever it is there, so at each point a key can be found, and after the second it is
 * the new one.
 */

/** Where Azure's libraries keep the key, and so do we. */
export const identityHandle = 0x81000100;

/** Where a new key is while it takes the place of another. */
export const stagingHandle = 0x81000101;

/** The handle of the key to sign with; `undefined` when there is none. */
export async function findIdentityKey(scope: TpmScope): Promise<number | undefined> {
  const present = await handlesInUse(scope);
  return [stagingHandle, identityHandle].find((handle) => present.has(handle));
}

/**
 * Makes a loaded key the one to sign with, persistent, in place of an earlier one. A TPM without room for both keys
 * has the old one removed first: power that fails then costs the key, and a new registration.
 */
export async function replaceIdentityKey(scope: TpmScope, loaded: number, owner: Authorization): Promise<void> {
  const put = (handle: number): Promise<void> => scope.run(evictControl(owner, loaded, handle));
  const remove = (handle: number): Promise<void> => scope.run(evictControl(owner, handle, handle));
  const present = await handlesInUse(scope);
  // An earlier exchange was interrupted when both are there; the key to be replaced is the one beside.
  if (present.has(identityHandle) && !present.has(stagingHandle)) {
    try {
      await put(stagingHandle);
      present.add(stagingHandle);
    } catch (error) {
      if (!refusedWith(error, "TPM_RC_NV_SPACE")) throw error;
    }
  }
  if (present.has(identityHandle)) await remove(identityHandle);
  await put(identityHandle);
  if (present.has(stagingHandle)) await remove(stagingHandle);
}

async function handlesInUse(scope: TpmScope): Promise<Set<number>> {
  return new Set(await scope.run(readHandles(identityHandle, 2)));
}
