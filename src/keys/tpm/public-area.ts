import type { TpmKeyTemplate } from "../../config/settings.ts";
import { LandfallError } from "../../errors.ts";
import { algorithm, objectAttribute } from "./constants.ts";
import { empty, sized, uint16, uint32 } from "./structure.ts";
import { TpmReader } from "./tpm-reader.ts";

const { fixedTpm, fixedParent, sensitiveDataOrigin, userWithAuth, adminWithPolicy, noDictionaryAttack } =
  objectAttribute;
const { restricted, decrypt } = objectAttribute;

const modulusBytes = 256;

/** The policy of endorsement keys (TCG EK Credential Profile): PolicySecret of the endorsement hierarchy. */
export const endorsementPolicy = Buffer.from("837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa", "hex");

/** What the two templates differ in: the initial value of `unique`. */
const unique: Readonly<Record<TpmKeyTemplate, Buffer>> = { tcg: sized(Buffer.alloc(modulusBytes)), azure: empty };

/** The public area (TPMT_PUBLIC) to create an endorsement key by: RSA 2048 for decryption, used under its policy. */
export function endorsementKeyTemplate(template: TpmKeyTemplate): Buffer {
  const attributes = fixedTpm | fixedParent | sensitiveDataOrigin | adminWithPolicy | restricted | decrypt;
  return rsaParent(attributes, endorsementPolicy, template);
}

/** The public area to create a storage root key by: RSA 2048 for decryption, without password. */
export function storageRootKeyTemplate(template: TpmKeyTemplate): Buffer {
  const attributes =
    fixedTpm | fixedParent | sensitiveDataOrigin | userWithAuth | noDictionaryAttack | restricted | decrypt;
  return rsaParent(attributes, Buffer.alloc(0), template);
}

function rsaParent(attributes: number, policy: Uint8Array, template: TpmKeyTemplate): Buffer {
  return Buffer.concat([
    ...[uint16(algorithm.rsa), uint16(algorithm.sha256), uint32(attributes), sized(policy)],
    // What the key protects its children with.
    ...[uint16(algorithm.aes), uint16(128), uint16(algorithm.cfb)],
    uint16(algorithm.null), // no scheme: it only decrypts
    uint16(modulusBytes * 8),
    uint32(0), // the exponent 65537
    unique[template],
  ]);
}

/** As much of a public area as is needed to judge a key. */
export interface PublicArea {
  readonly type: number;
  readonly nameAlgorithm: number;
  readonly attributes: number;
  readonly policy: Buffer;
  /** Of an RSA key; otherwise 0. */
  readonly keyBits: number;
}

/** Reads a public area that has its size in front (TPM2B_PUBLIC). Throws `tpm.malformed-response`. */
export function readPublicArea(bytes: Uint8Array): PublicArea {
  const reader = new TpmReader(new TpmReader(bytes, "a public area").sized(), "a public area");
  const [type, nameAlgorithm, attributes] = [reader.uint16(), reader.uint16(), reader.uint32()];
  const policy = reader.sized();
  return { type, nameAlgorithm, attributes, policy, keyBits: type === algorithm.rsa ? readKeyBits(reader) : 0 };
}

function readKeyBits(reader: TpmReader): number {
  const symmetric = reader.uint16();
  if (symmetric !== algorithm.null) reader.uint32(); // key bits and mode
  const scheme = reader.uint16();
  if (scheme !== algorithm.null) reader.uint16(); // its hash
  return reader.uint16();
}

/**
 * Throws `tpm.unsuitable-key` unless a key found in the TPM is one that DPS can encrypt for: RSA 2048, for decryption
 * alone, made in this TPM; with `policy`, used under exactly that policy.
 * @param what the key, for the message: "the endorsement key at 0x81010001"
 */
export function requireParent(bytes: Uint8Array, what: string, policy?: Uint8Array): void {
  const { type, nameAlgorithm, attributes, keyBits, policy: found } = readPublicArea(bytes);
  const needed = fixedTpm | restricted | decrypt;
  const fault =
    type !== algorithm.rsa
      ? `a key of type 0x${type.toString(16).padStart(4, "0")}`
      : keyBits !== modulusBytes * 8
        ? `an RSA key of ${keyBits} bits`
        : nameAlgorithm !== algorithm.sha256
          ? `a key named by algorithm 0x${nameAlgorithm.toString(16).padStart(4, "0")}`
          : (attributes & needed) !== needed
            ? `a key with the attributes 0x${attributes.toString(16).padStart(8, "0")}`
            : policy !== undefined && !found.equals(policy)
              ? "a key with another policy"
              : undefined;
  if (fault === undefined) return;
  throw new LandfallError(
    "tpm.unsuitable-key",
    `Expected ${what} to be an RSA key of 2048 bits that only decrypts (type 0x0001, named by SHA-256); found ${fault}.`,
  );
}
