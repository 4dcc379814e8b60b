import { createHash } from "node:crypto";
import { sized } from "./sized.ts";

/** A symmetric key in the form in which a TPM takes it in. */
export interface HmacKeyObject {
  /** `TPMT_PUBLIC`. */
  readonly publicArea: Buffer;
  /** What the TPM calls the object. */
  readonly name: Buffer;
  /** `TPM2B_SENSITIVE`: with the key itself. */
  readonly sensitive: Buffer;
}

const keyedHash = Buffer.from("0008", "hex");
const sha256 = Buffer.from("000b", "hex");
/** It signs, a password is enough to use it, and failures do not lock the TPM. Which attributes Azure sends is not known. */
const attributes = Buffer.from("00040440", "hex");
const hmacWithSha256 = Buffer.from("0005000b", "hex");

/** The policy that allows one command, TPM2_Duplicate, and with it nothing that a device does. */
const duplicationPolicy = digest(Buffer.alloc(32), Buffer.from("0000016c0000014b", "hex"));

/**
 * Makes a key into an object of a TPM.
 * @param key 1 to 64 bytes
 * @param obfuscation 32 random bytes, so that the object's public part says nothing about the key
 */
export function hmacKeyObject(key: Buffer, obfuscation: Buffer): HmacKeyObject {
  const noPassword = sized();
  const publicArea = Buffer.concat([
    keyedHash,
    sha256,
    attributes,
    sized(duplicationPolicy),
    hmacWithSha256,
    sized(digest(obfuscation, key)),
  ]);
  return {
    publicArea,
    name: Buffer.concat([sha256, digest(publicArea)]),
    sensitive: sized(keyedHash, noPassword, sized(obfuscation), sized(key)),
  };
}

function digest(...parts: readonly Buffer[]): Buffer {
  return createHash("sha256").update(Buffer.concat(parts)).digest();
}
