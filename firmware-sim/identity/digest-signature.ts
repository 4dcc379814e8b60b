import { createECDH, type KeyObject } from "node:crypto";

/** Order of the group of P-256. */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/**
 * An ECDSA P-256 signature, DER, over a digest of 32 bytes. The platform signs messages only, and hashes them itself; what
 * is left to do beside its point arithmetic is this formula.
 */
export function signDigest(digest: Uint8Array, key: KeyObject): Buffer {
  const { d } = key.export({ format: "jwk" });
  const secret = number(Buffer.from(d ?? "", "base64url"));
  for (;;) {
    const once = createECDH("prime256v1");
    const point = Buffer.from(once.generateKeys("hex", "uncompressed"), "hex");
    const r = number(point.subarray(1, 33)) % order;
    const s = (inverse(number(once.getPrivateKey())) * (number(digest) + r * secret)) % order;
    if (r !== 0n && s !== 0n) return sequence([integer(r), integer(s)]);
  }
}

function number(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

/** The number that gives 1 when multiplied with `value`, modulo the order, by the extended algorithm of Euclid. */
function inverse(value: bigint): bigint {
  let [before, now] = [order, value % order];
  let [factorBefore, factor] = [0n, 1n];
  while (now !== 0n) {
    const quotient = before / now;
    [before, now] = [now, before - quotient * now];
    [factorBefore, factor] = [factor, factorBefore - quotient * factor];
  }
  return ((factorBefore % order) + order) % order;
}

function integer(value: bigint): Buffer {
  const digits = value.toString(16);
  const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex");
  // A first bit that is set would make it negative.
  return tagged(0x02, (bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
}

function sequence(parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function tagged(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.of(tag, content.length), content]);
}
