import { createPublicKey, type KeyObject } from "node:crypto";
import { LandfallError } from "../../errors.ts";
import { algorithm, curve, objectAttribute } from "./constants.ts";
import { empty, uint16, uint32 } from "./structure.ts";
import { TpmReader } from "./tpm-reader.ts";

const { fixedTpm, fixedParent, sensitiveDataOrigin, userWithAuth, noDictionaryAttack, restricted, sign } =
  objectAttribute;

/**
 * The public area (TPMT_PUBLIC) to make a signing key by: P-256, made in this TPM and bound to it for good.
 *
 * A key with a password counts wrong ones towards the TPM's lockout. One without has nothing to guess, so it stays clear of
 * the lockout: a TPM counts a loss of power as a wrong password too once such a key was used, and a gateway loses power often.
 */
export function signingKeyTemplate({ hasPassword }: { readonly hasPassword: boolean }): Buffer {
  const attributes = fixedTpm | fixedParent | sensitiveDataOrigin | userWithAuth | sign;
  return Buffer.concat([
    ...[uint16(algorithm.ecc), uint16(algorithm.sha256)],
    ...[uint32(hasPassword ? attributes : attributes | noDictionaryAttack), empty],
    uint16(algorithm.null), // no symmetric algorithm: it protects no other keys
    uint16(algorithm.null), // the scheme is named with each signature
    ...[uint16(curve.p256), uint16(algorithm.null)],
    ...[empty, empty], // the point, which the TPM fills in
  ]);
}

/**
 * The public key in a public area without size in front. Throws `tpm.unsuitable-key` unless it is a key on P-256 that
 * signs what it is given, by ECDSA with SHA-256 if it is bound to a scheme.
 * @param what the key, for messages: "the key at 0x81010010"
 */
export function signingPublicKey(publicArea: Uint8Array, what: string): KeyObject {
  const reader = new TpmReader(publicArea, `the public area of ${what}`);
  const type = reader.uint16();
  if (type !== algorithm.ecc) throw unsuitable(what, `a key of type 0x${type.toString(16).padStart(4, "0")}`);
  reader.uint16(); // name algorithm
  const attributes = reader.uint32();
  if ((attributes & sign) === 0 || (attributes & restricted) !== 0) {
    throw unsuitable(what, `a key with the attributes 0x${attributes.toString(16).padStart(8, "0")}`);
  }
  reader.sized(); // policy
  const symmetric = reader.uint16();
  if (symmetric !== algorithm.null) reader.uint32(); // key bits and mode
  const scheme = reader.uint16();
  const hash = scheme === algorithm.null ? algorithm.sha256 : reader.uint16();
  if ((scheme !== algorithm.null && scheme !== algorithm.ecdsa) || hash !== algorithm.sha256) {
    throw unsuitable(what, `a key bound to the scheme 0x${scheme.toString(16)} with hash 0x${hash.toString(16)}`);
  }
  const found = reader.uint16();
  if (found !== curve.p256) throw unsuitable(what, `a key on the curve 0x${found.toString(16).padStart(4, "0")}`);
  if (reader.uint16() !== algorithm.null) reader.uint16(); // key derivation
  const [x, y] = [coordinate(reader.sized()), coordinate(reader.sized())];
  reader.end();
  try {
    return createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
  } catch {
    throw unsuitable(what, "a point that is not on the curve");
  }
}

/** A TPM may leave leading zeros away. */
function coordinate(bytes: Buffer): string {
  const padded = Buffer.concat([Buffer.alloc(Math.max(0, 32 - bytes.length)), bytes]);
  return padded.toString("base64url");
}

function unsuitable(what: string, found: string): LandfallError {
  return new LandfallError(
    "tpm.unsuitable-key",
    `Expected ${what} to be a key on P-256 (type 0x0023, curve 0x0003) that signs what it is given; found ${found}.`,
  );
}
