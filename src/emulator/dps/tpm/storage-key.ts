import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { MalformedStructure, StructureReader } from "./structure-reader.ts";

/** The public half of a key in a TPM that other things can be encrypted to: an endorsement key or a storage root key. */
export interface StorageKey {
  /** The whole `TPM2B_PUBLIC`, with its size in front. */
  readonly encoded: Buffer;
  /** What the TPM calls the key: its hash algorithm, then the hash of its public area. */
  readonly name: Buffer;
  readonly publicKey: KeyObject;
}

/** Why a text is none, in words. */
export interface StorageKeyFault {
  readonly expected: string;
  readonly found: string;
}

/** The pair that a device shows of its TPM. */
export interface TpmKeys {
  readonly endorsementKey: StorageKey;
  readonly storageRootKey: StorageKey;
}

// Identifiers of algorithms in the registry of the Trusted Computing Group.
const rsa = 0x0001;
const aes = 0x0006;
const sha256 = 0x000b;
const nullScheme = 0x0010;
const cfb = 0x0043;

const attributes = { restricted: 1 << 16, decrypt: 1 << 17, sign: 1 << 18 };
const usage = attributes.restricted | attributes.decrypt;
const modulusBytes = 256;

/**
 * Reads a key as devices send it: base64 of a `TPM2B_PUBLIC`. The clients in the field make RSA 2048 keys with SHA-256 and
 * AES-128-CFB, and no others are taken here.
 */
export function parseStorageKey(text: string): StorageKey | StorageKeyFault {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) {
    return { expected: "base64", found: "something else" };
  }
  const encoded = Buffer.from(text, "base64");
  try {
    return readStorageKey(encoded);
  } catch (error) {
    if (error instanceof MalformedStructure) return { expected: error.expected, found: error.found };
    throw error;
  }
}

function readStorageKey(encoded: Buffer): StorageKey {
  const outer = new StructureReader(encoded);
  const publicArea = outer.sized();
  outer.end();
  const fields = new StructureReader(publicArea);
  requireValue("the key type RSA", rsa, fields.uint16());
  requireValue("the name algorithm SHA-256", sha256, fields.uint16());
  requireValue("a restricted key for decryption", usage, fields.uint32() & (usage | attributes.sign));
  fields.sized(); // the policy is between the device and its TPM
  requireValue("the symmetric algorithm AES", aes, fields.uint16());
  requireValue("a symmetric key of 128 bits", 128, fields.uint16());
  requireValue("the mode CFB", cfb, fields.uint16());
  requireValue("no scheme of its own", nullScheme, fields.uint16());
  requireValue("a modulus of 2048 bits", 8 * modulusBytes, fields.uint16());
  const exponent = fields.uint32() || 65_537; // 0 stands for the usual one
  requireValue("the exponent 65537", 65_537, exponent);
  const modulus = fields.sized();
  fields.end();
  requireModulus(modulus);
  const name = Buffer.concat([uint16(sha256), createHash("sha256").update(publicArea).digest()]);
  const jwk = { kty: "RSA", n: modulus.toString("base64url"), e: "AQAB" };
  return { encoded, name, publicKey: createPublicKey({ key: jwk, format: "jwk" }) };
}

function requireValue(what: string, expected: number, found: number): void {
  const [wanted, got] = [expected, found].map((value) => `0x${value.toString(16).padStart(4, "0")}`);
  if (found !== expected) throw new MalformedStructure(`${what} ${wanted}`, `${got}`);
}

/** So that whatever is encrypted to the key can be: the templates for making a key have zeros in this place. */
function requireModulus(modulus: Buffer): void {
  const isWhole = modulus.length === modulusBytes && (modulus[0] ?? 0) >= 0x80;
  const isOdd = ((modulus.at(-1) ?? 0) & 1) === 1;
  if (!isWhole || !isOdd) throw new MalformedStructure("an odd modulus of 2048 bits", "another number");
}

function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}
