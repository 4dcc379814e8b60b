import { LandfallError } from "../../errors.ts";
import { algorithm, objectAttribute } from "./constants.ts";
import { TpmReader } from "./tpm-reader.ts";

/** As much of a public area as is needed to judge a key that others are sent under. */
interface ParentArea {
  readonly type: number;
  readonly nameAlgorithm: number;
  readonly attributes: number;
  readonly policy: Buffer;
  /** Of an RSA key alone. */
  readonly rsa?: RsaParameters;
}

interface RsaParameters {
  /** What the key protects its children with: algorithm, key bits and mode. */
  readonly symmetric: readonly number[];
  readonly keyBits: number;
}

/** AES-128-CFB. */
const childProtection = [algorithm.aes, 128, algorithm.cfb];

/**
 * Throws `tpm.unsuitable-key` unless a key found in the TPM is one that DPS can encrypt for: RSA 2048, for decryption
 * alone, made in this TPM, children protected by AES-128; with `policy`, used under exactly that policy.
 * Throws `tpm.malformed-response` for bytes that are no public area.
 * @param bytes with the size in front (TPM2B_PUBLIC)
 * @param what the key, for the message: "the endorsement key at 0x81010001"
 */
export function requireParent(bytes: Uint8Array, what: string, policy?: Uint8Array): void {
  const fault = faultOf(readParentArea(bytes), policy);
  if (fault === undefined) return;
  throw new LandfallError(
    "tpm.unsuitable-key",
    `Expected ${what} to be an RSA key of 2048 bits that only decrypts (type 0x0001, named by SHA-256); found ${fault}.`,
  );
}

/**
 * Throws `tpm.unsuitable-key` unless a key found in the TPM is one that protects others, whatever its algorithm: distributions
 * put EC keys where there used to be RSA keys. Otherwise as {@link requireParent}.
 */
export function requireProtector(bytes: Uint8Array, what: string): void {
  const { attributes } = readStart(bytes);
  const needed = objectAttribute.restricted | objectAttribute.decrypt;
  if ((attributes & needed) === needed) return;
  throw new LandfallError(
    "tpm.unsuitable-key",
    `Expected ${what} to be one that protects other keys; found a key with the attributes ${hex(attributes, 8)}.`,
  );
}

function faultOf(area: ParentArea, policy: Uint8Array | undefined): string | undefined {
  const { type, nameAlgorithm, attributes, rsa } = area;
  const needed = objectAttribute.fixedTpm | objectAttribute.restricted | objectAttribute.decrypt;
  if (rsa === undefined) return `a key of type ${hex(type, 4)}`;
  if (nameAlgorithm !== algorithm.sha256) return `a key named by algorithm ${hex(nameAlgorithm, 4)}`;
  if ((attributes & needed) !== needed) return `a key with the attributes ${hex(attributes, 8)}`;
  if (rsa.keyBits !== 2048) return `an RSA key of ${rsa.keyBits} bits`;
  if (childProtection.some((value, index) => rsa.symmetric[index] !== value)) {
    return "a key that does not protect its children by AES-128-CFB";
  }
  return policy !== undefined && !area.policy.equals(policy) ? "a key with another policy" : undefined;
}

function readParentArea(bytes: Uint8Array): ParentArea {
  const { reader, ...start } = readStart(bytes);
  const area = { ...start, policy: reader.sized() };
  return area.type === algorithm.rsa ? { ...area, rsa: readRsaParameters(reader) } : area;
}

/** What every public area begins with, and a reader of the rest. */
function readStart(bytes: Uint8Array) {
  const reader = new TpmReader(new TpmReader(bytes, "a public area").sized(), "a public area");
  return { type: reader.uint16(), nameAlgorithm: reader.uint16(), attributes: reader.uint32(), reader };
}

function readRsaParameters(reader: TpmReader): RsaParameters {
  const symmetric = [reader.uint16()];
  if (symmetric[0] !== algorithm.null) symmetric.push(reader.uint16(), reader.uint16());
  const scheme = reader.uint16();
  if (scheme !== algorithm.null) reader.uint16(); // its hash
  return { symmetric, keyBits: reader.uint16() };
}

function hex(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}
