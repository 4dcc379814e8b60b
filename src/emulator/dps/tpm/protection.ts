import { constants, createCipheriv, createHmac, publicEncrypt } from "node:crypto";
import { deriveKey } from "./key-derivation.ts";
import { sized } from "./sized.ts";
import type { StorageKey } from "./storage-key.ts";

/** To whom something is sealed, and what with. */
export interface Sealing {
  /** Only the TPM that holds this key can open it. */
  readonly recipient: StorageKey;
  /** What it is: the TPM opens a credential only as a credential, and a duplicate only as a duplicate. */
  readonly label: "IDENTITY" | "DUPLICATE";
  /** Name of the object that it is bound to. */
  readonly boundTo: Buffer;
  /** 32 bytes, of which all keys are derived. */
  readonly seed: Buffer;
}

/** Something sealed, and what the recipient needs to open it. */
export interface Sealed {
  /** HMAC as a `TPM2B_DIGEST`, then the encrypted content. */
  readonly content: Buffer;
  /** The seed, encrypted to the recipient. */
  readonly encryptedSeed: Buffer;
}

/** The protection that a TPM asks of credentials and of duplicated objects alike: encryption, then an HMAC. */
export function seal(content: Buffer, { recipient, label, boundTo, seed }: Sealing): Sealed {
  const encryptionKey = deriveKey(seed, { label: "STORAGE", context: boundTo, bits: 128 });
  const integrityKey = deriveKey(seed, { label: "INTEGRITY", bits: 256 });
  const encrypted = encrypt(encryptionKey, content);
  const integrity = createHmac("sha256", integrityKey).update(encrypted).update(boundTo).digest();
  return { content: Buffer.concat([sized(integrity), encrypted]), encryptedSeed: encryptSeed(seed, recipient, label) };
}

/** AES-128-CFB from an initial vector of zeros, as the TPM does it: every key is used once. */
export function encrypt(key: Buffer, content: Buffer): Buffer {
  const cipher = createCipheriv("aes-128-cfb", key, Buffer.alloc(16));
  return Buffer.concat([cipher.update(content), cipher.final()]);
}

function encryptSeed(seed: Buffer, { publicKey }: StorageKey, label: string): Buffer {
  // To the TPM, the zero at the end is a part of the label.
  const oaepLabel = Buffer.from(`${label}\0`);
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  return publicEncrypt({ key: publicKey, padding, oaepHash: "sha256", oaepLabel }, seed);
}
