import { createHash } from "node:crypto";
import { bytesFrom, type Random } from "../../randomness.ts";
import { hmacKeyObject } from "./hmac-key-object.ts";
import { encrypt, seal } from "./protection.ts";
import { sized } from "./sized.ts";
import type { TpmKeys } from "./storage-key.ts";

/** The random numbers in one blob. */
export interface ActivationNonces {
  /** 16 bytes: clients import the duplicate with AES-128. */
  readonly innerKey: Buffer;
  /** 32 bytes. */
  readonly obfuscation: Buffer;
  /** 32 bytes. */
  readonly duplicateSeed: Buffer;
  /** 32 bytes. */
  readonly credentialSeed: Buffer;
}

/** What goes into one blob. */
export interface Activation {
  readonly keys: TpmKeys;
  /** The symmetric key that the TPM is to sign with; 1 to 64 bytes. */
  readonly key: Buffer;
  /** What the key is for. Goes along encrypted; no client is known to read it. */
  readonly note: string;
  readonly nonces: ActivationNonces;
}

/** Fresh numbers for a blob. */
export function newActivationNonces(random: Random): ActivationNonces {
  return {
    innerKey: bytesFrom(random, 16),
    obfuscation: bytesFrom(random, 32),
    duplicateSeed: bytesFrom(random, 32),
    credentialSeed: bytesFrom(random, 32),
  };
}

/**
 * The blob in which DPS sends a key that only the enrolled TPM can take in. Six structures follow one another:
 *
 * ```
 * TPM2B_ID_OBJECT         innerKey, sealed to the endorsement key and bound to the storage root key
 * TPM2B_ENCRYPTED_SECRET  the seed of that seal
 * TPM2B_PRIVATE           the key, encrypted with innerKey, then sealed to the storage root key
 * TPM2B_ENCRYPTED_SECRET  the seed of that seal
 * TPM2B_PUBLIC            the public part of the key
 * TPM2B_DATA              a note, encrypted with innerKey
 * ```
 *
 * So the TPM has to have both keys: the one that is enrolled, and the one that the new key is to lie under.
 */
export function makeActivationBlob({ keys, key, note, nonces }: Activation): Buffer {
  const { endorsementKey, storageRootKey } = keys;
  const { innerKey, obfuscation, duplicateSeed, credentialSeed } = nonces;
  const { publicArea, name, sensitive } = hmacKeyObject(key, obfuscation);
  const integrity = createHash("sha256").update(sensitive).update(name).digest();
  const duplicate = seal(encrypt(innerKey, Buffer.concat([sized(integrity), sensitive])), {
    recipient: storageRootKey,
    label: "DUPLICATE",
    boundTo: name,
    seed: duplicateSeed,
  });
  const credential = seal(sized(innerKey), {
    recipient: endorsementKey,
    label: "IDENTITY",
    boundTo: storageRootKey.name,
    seed: credentialSeed,
  });
  return Buffer.concat([
    sized(credential.content),
    sized(credential.encryptedSeed),
    sized(duplicate.content),
    sized(duplicate.encryptedSeed),
    sized(publicArea),
    sized(encrypt(innerKey, Buffer.from(note))),
  ]);
}
