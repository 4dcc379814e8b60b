import {
  constants,
  createCipheriv,
  createHash,
  createHmac,
  createPublicKey,
  type KeyObject,
  publicEncrypt,
  randomBytes,
} from "node:crypto";

/*
 * The service's side of TPM attestation, written from the published structures of TPM 2.0 (parts 1 and 2: credential
 * protection, duplication) with node:crypto alone, and sharing no code with client or emulator.
 */

/** What a blob is made of. */
export interface BlobParts {
  /** TPM2B_PUBLIC of the endorsement key. */
  readonly endorsementKey: Uint8Array;
  /** TPM2B_PUBLIC of the storage root key. */
  readonly storageRootKey: Uint8Array;
  /** The key to send, 32 bytes. */
  readonly key: Uint8Array;
  /** Content of the last part; `undefined` leaves that part out. Default: a few bytes. */
  readonly trailer?: Uint8Array | undefined;
}

/** Where the six parts of a blob for RSA 2048 keys begin. */
export const blobOffsets = {
  identityObject: 0,
  credentialSeed: 54,
  duplicate: 312,
  duplicateSeed: 456,
  publicArea: 714,
  trailer: 796,
} as const;

/** Makes an activation blob for one TPM. */
export function makeBlob({ endorsementKey, storageRootKey, key, ...rest }: BlobParts): Buffer {
  const innerKey = randomBytes(16);
  const obfuscation = randomBytes(32);
  const publicArea = identityPublicArea(sha256(obfuscation, key));
  const parts = [
    ...credentialFor(endorsementKey, nameOf(storageRootKey.subarray(2)), innerKey),
    ...duplicateFor(storageRootKey, nameOf(publicArea), innerKey, sensitiveArea(obfuscation, key)),
    publicArea,
  ];
  const trailer = "trailer" in rest ? rest.trailer : Buffer.from("encrypted URI");
  return Buffer.concat([...parts, ...(trailer === undefined ? [] : [trailer])].map(sized));
}

/** A keyed hash that signs with HMAC-SHA256 and may be duplicated. */
function identityPublicArea(unique: Buffer): Buffer {
  const policyCommandDuplicate = sha256(Buffer.alloc(32), Buffer.from("0000016c0000014b", "hex"));
  return Buffer.concat([
    Buffer.from("0008000b00040440", "hex"),
    sized(policyCommandDuplicate),
    Buffer.from("0005000b", "hex"),
    sized(unique),
  ]);
}

function sensitiveArea(obfuscation: Uint8Array, key: Uint8Array): Buffer {
  return sized(Buffer.concat([Buffer.from("00080000", "hex"), sized(obfuscation), sized(key)]));
}

/** The inner key, for who has the endorsement key and loads the key of that name. */
function credentialFor(endorsementKey: Uint8Array, name: Buffer, innerKey: Buffer): readonly [Buffer, Buffer] {
  const { seed, encrypted } = encryptedSeed(endorsementKey, "IDENTITY");
  const identity = encrypt(deriveKey(seed, "STORAGE", name, 128), sized(innerKey));
  const integrity = hmac(deriveKey(seed, "INTEGRITY", Buffer.alloc(0), 256), identity, name);
  return [Buffer.concat([sized(integrity), identity]), encrypted];
}

/** The sensitive area, wrapped by the inner key and for a new parent. */
function duplicateFor(
  parent: Uint8Array,
  name: Buffer,
  innerKey: Buffer,
  sensitive: Buffer,
): readonly [Buffer, Buffer] {
  const { seed, encrypted } = encryptedSeed(parent, "DUPLICATE");
  const inner = encrypt(innerKey, Buffer.concat([sized(sha256(sensitive, name)), sensitive]));
  const outer = encrypt(deriveKey(seed, "STORAGE", name, 128), inner);
  const integrity = hmac(deriveKey(seed, "INTEGRITY", Buffer.alloc(0), 256), outer, name);
  return [Buffer.concat([sized(integrity), outer]), encrypted];
}

function encryptedSeed(publicArea: Uint8Array, label: string): { readonly seed: Buffer; readonly encrypted: Buffer } {
  const seed = randomBytes(32);
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const oaepLabel = Buffer.from(`${label}\0`);
  return {
    seed,
    encrypted: publicEncrypt({ key: rsaKeyIn(publicArea), padding, oaepHash: "sha256", oaepLabel }, seed),
  };
}

/** The modulus is the last field of an RSA public area; the exponent of these keys is 65537. */
function rsaKeyIn(publicArea: Uint8Array): KeyObject {
  const modulus = Buffer.from(publicArea.subarray(-256)).toString("base64url");
  return createPublicKey({ key: { kty: "RSA", n: modulus, e: "AQAB" }, format: "jwk" });
}

/** KDFa: SP 800-108 in counter mode over HMAC-SHA256, for up to one block. */
function deriveKey(seed: Buffer, label: string, context: Buffer, bits: number): Buffer {
  const counter = Buffer.from("00000001", "hex");
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bits);
  return hmac(seed, counter, Buffer.from(`${label}\0`), context, length).subarray(0, bits / 8);
}

function encrypt(key: Buffer, content: Buffer): Buffer {
  return createCipheriv("aes-128-cfb", key, Buffer.alloc(16)).update(content);
}

function nameOf(publicArea: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from("000b", "hex"), sha256(publicArea)]);
}

function sized(content: Uint8Array): Buffer {
  const size = Buffer.alloc(2);
  size.writeUInt16BE(content.length);
  return Buffer.concat([size, content]);
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  return createHash("sha256").update(Buffer.concat(parts)).digest();
}

function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  return createHmac("sha256", key).update(Buffer.concat(parts)).digest();
}
