import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, X509Certificate } from "node:crypto";

/**
 * A copy of a certificate with another public key of the same kind in it, for comparing keys by what OpenSSL refuses. Its
 * signature is wrong, and nobody has the private key.
 */
export function certificateOfAnotherKey(certificate: X509Certificate): X509Certificate {
  const bytes = Buffer.from(certificate.raw);
  const own = spki(certificate.publicKey);
  const other = spki(anotherKey(certificate.publicKey));
  // Both are as long as each other: what they differ in are the numbers themselves.
  other.copy(bytes, bytes.indexOf(own));
  return new X509Certificate(bytes);
}

function anotherKey(key: KeyObject): KeyObject {
  const { namedCurve, modulusLength = 2048 } = key.asymmetricKeyDetails ?? {};
  if (namedCurve !== undefined) return generateKeyPairSync("ec", { namedCurve }).publicKey;
  // A number that nobody has the factors of, and quicker made than one whose factors one has.
  const modulus = randomBytes(modulusLength / 8);
  modulus.writeUInt8((modulus.at(0) ?? 0) | 0x80, 0);
  const { e = "AQAB" } = key.export({ format: "jwk" });
  return createPublicKey({ key: { kty: "RSA", n: modulus.toString("base64url"), e }, format: "jwk" });
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: "spki", format: "der" });
}
