import { describeCause, isLandfallError, LandfallError } from "../../errors.ts";
import type { ActivationBlob } from "./activation-blob.ts";
import { permanentHandle } from "./constants.ts";
import { importKey, load, type WrappedKey } from "./key-commands.ts";
import { activateCredential, policySecret, startPolicySession } from "./policy-commands.ts";
import { type HierarchyPasswords, passwordOf, rootHandle } from "./root-keys.ts";
import type { TpmScope } from "./tpm-scope.ts";

/**
 * Takes in the key of a blob: gives it wrapped under this TPM's storage root key, so that it can be loaded here and
 * nowhere else. The key itself is never outside of the TPM.
 *
 * Rejects with `tpm.activation-failed` when the TPM refuses a part of the blob: it was made for another endorsement or
 * storage root key, or was altered on its way.
 */
export async function activate(
  scope: TpmScope,
  { credential, key }: ActivationBlob,
  passwords: HierarchyPasswords,
): Promise<WrappedKey> {
  const session = await scope.run(startPolicySession());
  // An endorsement key is used by whoever can use the endorsement hierarchy.
  await scope.run(policySecret(permanentHandle.endorsement, passwordOf(passwords.endorsement), session));
  const { storageRootKey, endorsementKey } = rootHandle;
  const innerKey = await blaming(scope.run(activateCredential(storageRootKey, endorsementKey, session, credential)));
  try {
    await scope.flush(session);
    const { publicArea } = key;
    return { privatePart: await blaming(scope.run(importKey(storageRootKey, { ...key, innerKey }))), publicArea };
  } finally {
    innerKey.fill(0);
  }
}

/** Loads a key that {@link activate} gave; gives its handle. Rejects with `tpm.activation-failed` as that does. */
export function loadActivated(scope: TpmScope, key: WrappedKey): Promise<number> {
  return blaming(scope.run(load(rootHandle.storageRootKey, key)));
}

/** A refusal without a name of its own is about the blob, the only thing here that is not ours. */
async function blaming<T>(step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (cause) {
    if (!isLandfallError(cause) || cause.code !== "tpm.refused") throw cause;
    const message = `The key that the service sent cannot be used in this TPM: ${describeCause(cause)}`;
    throw new LandfallError("tpm.activation-failed", message, { cause });
  }
}
