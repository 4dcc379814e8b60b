import { LandfallError } from "../../errors.ts";
import { readHandles } from "./capability-commands.ts";
import { algorithm, objectAttribute } from "./constants.ts";
import { evictControl, readPublic } from "./key-commands.ts";
import { refusedWith } from "./response-error.ts";
import type { Authorization } from "./tpm-command.ts";
import { TpmReader } from "./tpm-reader.ts";
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
 *
 * Other programs may keep keys at these handles. What is no HMAC key was not sent by DPS, and is left where it is.
 */

/** Where Azure's libraries keep the key, and so do we. */
export const identityHandle = 0x81000100;

/** Where a new key is while it takes the place of another. */
export const stagingHandle = 0x81000101;

/** The handle of the key to sign with; `undefined` when there is none. */
export async function findIdentityKey(scope: TpmScope): Promise<number | undefined> {
  const present = await handlesInUse(scope);
  if (present.has(stagingHandle) && (await isHmacKey(scope, stagingHandle))) return stagingHandle;
  return present.has(identityHandle) ? identityHandle : undefined;
}

/**
 * Makes a loaded key the one to sign with, persistent, in place of an earlier one. Where there is no room for both, in the
 * TPM or beside the old one, that is removed first: power that fails then costs the key, and a new registration.
 *
 * Rejects with `tpm.unsuitable-key`, and changes nothing, when the place belongs to a key of another kind.
 */
export async function replaceIdentityKey(scope: TpmScope, loaded: number, owner: Authorization): Promise<void> {
  const put = (handle: number): Promise<void> => scope.run(evictControl(owner, loaded, handle));
  const remove = (handle: number): Promise<void> => scope.run(evictControl(owner, handle, handle));
  const present = await handlesInUse(scope);
  if (present.has(identityHandle)) await requireHmacKey(scope, identityHandle);
  // An earlier exchange was interrupted when both are there; the key to be replaced is the one beside.
  let isBeside = present.has(stagingHandle) && (await isHmacKey(scope, stagingHandle));
  if (present.has(identityHandle) && !present.has(stagingHandle)) {
    try {
      await put(stagingHandle);
      isBeside = true;
    } catch (error) {
      if (!refusedWith(error, "TPM_RC_NV_SPACE")) throw error;
    }
  }
  if (present.has(identityHandle)) await remove(identityHandle);
  await put(identityHandle);
  if (isBeside) await remove(stagingHandle);
}

async function handlesInUse(scope: TpmScope): Promise<Set<number>> {
  return new Set(await scope.run(readHandles(identityHandle, 2)));
}

async function requireHmacKey(scope: TpmScope, handle: number): Promise<void> {
  if (await isHmacKey(scope, handle)) return;
  throw new LandfallError(
    "tpm.unsuitable-key",
    `Expected a key that DPS sent, or nothing, at 0x${handle.toString(16)} of the TPM; found one of another kind.`,
  );
}

async function isHmacKey(scope: TpmScope, handle: number): Promise<boolean> {
  const area = new TpmReader(
    new TpmReader(await scope.run(readPublic(handle)), "a public area").sized(),
    "a public area",
  );
  const [type, , attributes] = [area.uint16(), area.uint16(), area.uint32()];
  return type === algorithm.keyedHash && (attributes & objectAttribute.sign) !== 0;
}
