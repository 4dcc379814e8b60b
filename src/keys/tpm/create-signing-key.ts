import { LandfallError } from "../../errors.ts";
import type { Secret } from "../../secret.ts";
import { evictControl, load, readPublic } from "./key-commands.ts";
import type { TpmKeyFile } from "./key-file.ts";
import { refusedWith } from "./response-error.ts";
import { passwordOf, type RootKeyOptions, requireStorageRootKey, rootHandle } from "./root-keys.ts";
import { createKey } from "./signing-commands.ts";
import { signingKeyTemplate } from "./signing-key-area.ts";
import type { TpmScope } from "./tpm-scope.ts";

/** How a signing key is made. */
export interface SigningKeyOptions {
  /** Of the key. Absent: it has none, and whoever can talk to the TPM can sign. */
  readonly password?: Secret<Uint8Array> | undefined;
  /** How the storage root key is made if there is none, and the owner's password. */
  readonly root: RootKeyOptions;
}

/**
 * Makes a key on P-256 under the storage root key, which is made too if the TPM has none. Resolves with the key as the TPM
 * wrapped it; nothing else stays in the TPM. Rejects with `tpm.*`.
 */
export async function createSigningKey(scope: TpmScope, { password, root }: SigningKeyOptions): Promise<TpmKeyFile> {
  await requireStorageRootKey(scope, root);
  const parent = rootHandle.storageRootKey;
  const template = signingKeyTemplate({ hasPassword: password !== undefined });
  const wrapped = await scope.run(createKey(parent, template, password?.reveal() ?? Buffer.alloc(0)));
  return { ...wrapped, parent, emptyPassword: password === undefined };
}

/**
 * Makes a wrapped key persistent. Rejects with `key.already-there` when something is at the handle already, and nothing is
 * changed then.
 */
export async function persistSigningKey(
  scope: TpmScope,
  key: TpmKeyFile,
  { handle, root }: { readonly handle: number; readonly root: RootKeyOptions },
): Promise<void> {
  await requireFree(scope, handle);
  const loaded = await scope.run(load(key.parent, key));
  await scope.run(evictControl(passwordOf(root.passwords.owner), loaded, handle));
  await scope.flush(loaded);
}

async function requireFree(scope: TpmScope, handle: number): Promise<void> {
  try {
    await scope.run(readPublic(handle));
  } catch (error) {
    if (refusedWith(error, "TPM_RC_HANDLE")) return;
    throw error;
  }
  throw new LandfallError("key.already-there", `Expected nothing at 0x${handle.toString(16)} of the TPM; found a key.`);
}
