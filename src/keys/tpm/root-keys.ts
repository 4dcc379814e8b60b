import type { TpmKeyTemplate } from "../../config/settings.ts";
import { LandfallError } from "../../errors.ts";
import type { Secret } from "../../secret.ts";
import { permanentHandle } from "./constants.ts";
import { createPrimary, evictControl, readPublic } from "./key-commands.ts";
import { requireParent, requireProtector } from "./parent-key.ts";
import { refusedWith } from "./response-error.ts";
import { endorsementKeyTemplate, endorsementPolicy, storageRootKeyTemplate } from "./root-key-template.ts";
import type { Authorization } from "./tpm-command.ts";
import type { TpmScope } from "./tpm-scope.ts";

/** Where the keys are that TPMs are shipped and set up with, by the conventions of the Trusted Computing Group. */
export const rootHandle = { endorsementKey: 0x81010001, storageRootKey: 0x81000001 } as const;

/** What it takes to use the hierarchies of a TPM whose owner has set passwords. Absent: none is set. */
export interface HierarchyPasswords {
  readonly owner?: Secret<Uint8Array> | undefined;
  readonly endorsement?: Secret<Uint8Array> | undefined;
}

/** The two keys that DPS is shown, each a public area with its size in front (TPM2B_PUBLIC). */
export interface RootKeys {
  /** Which TPM this is. DPS knows it from the enrollment. */
  readonly endorsementKey: Buffer;
  /** What keys are sent to this TPM under. */
  readonly storageRootKey: Buffer;
}

/** How missing keys are made. */
export interface RootKeyOptions {
  readonly template: TpmKeyTemplate;
  readonly passwords: HierarchyPasswords;
  /** Make none. */
  readonly readOnly: boolean;
}

/**
 * The endorsement key and the storage root key. Those that are persistent are used as they are; a missing one is made
 * and made persistent; with `readOnly` it rejects with `tpm.root-key-missing` instead.
 * Rejects with `tpm.unsuitable-key` when one is there that DPS cannot encrypt for.
 */
export async function rootKeys(scope: TpmScope, options: RootKeyOptions): Promise<RootKeys> {
  const { template, passwords } = options;
  const endorsementKey = await findOrMake(scope, options, {
    what: "the endorsement key",
    handle: rootHandle.endorsementKey,
    require: (found, what) => requireParent(found, what, endorsementPolicy),
    make: createPrimary(
      permanentHandle.endorsement,
      passwordOf(passwords.endorsement),
      endorsementKeyTemplate(template),
    ),
  });
  return { endorsementKey, storageRootKey: await storageRootKey(scope, options, requireParent) };
}

/**
 * Makes sure of a storage root key for keys of this machine's own, which any will do for that protects others; otherwise as
 * {@link rootKeys}.
 */
export async function requireStorageRootKey(scope: TpmScope, options: RootKeyOptions): Promise<void> {
  await storageRootKey(scope, options, requireProtector);
}

function storageRootKey(scope: TpmScope, options: RootKeyOptions, require: RootKey["require"]): Promise<Buffer> {
  const { template, passwords } = options;
  return findOrMake(scope, options, {
    what: "the storage root key",
    handle: rootHandle.storageRootKey,
    require,
    make: createPrimary(permanentHandle.owner, passwordOf(passwords.owner), storageRootKeyTemplate(template)),
  });
}

/** The authorization of a hierarchy. */
export function passwordOf(password: Secret<Uint8Array> | undefined): Authorization {
  return { kind: "password", password };
}

interface RootKey {
  readonly what: string;
  readonly handle: number;
  /** Throws unless the key that was found, a public area with its size in front, will do. */
  readonly require: (found: Buffer, what: string) => void;
  readonly make: ReturnType<typeof createPrimary>;
}

async function findOrMake(scope: TpmScope, options: RootKeyOptions, key: RootKey): Promise<Buffer> {
  const { what, handle, require, make } = key;
  const found = await publicAreaAt(scope, handle);
  if (found !== undefined) {
    require(found, `${what} at 0x${handle.toString(16)}`);
    return found;
  }
  if (options.readOnly) {
    throw new LandfallError("tpm.root-key-missing", `The TPM does not have ${what} at 0x${handle.toString(16)} yet.`);
  }
  const made = await scope.run(make);
  await scope.run(evictControl(passwordOf(options.passwords.owner), made.handle, handle));
  await scope.flush(made.handle);
  return made.publicArea;
}

async function publicAreaAt(scope: TpmScope, handle: number): Promise<Buffer | undefined> {
  try {
    return await scope.run(readPublic(handle));
  } catch (error) {
    if (refusedWith(error, "TPM_RC_HANDLE")) return undefined;
    throw error;
  }
}
