import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { LandfallError } from "../errors.ts";

/**
 * A copy of a certificate with another public key of the same kind in it, for comparing keys by what OpenSSL refuses. Its
 * signature is wrong, and nobody has the private key. Throws `certificate.unusable` for a public key that is not written as usual.
 */
export function certificateOfAnotherKey(certificate: X509Certificate): X509Certificate {
  const bytes = Buffer.from(certificate.raw);
  const own = spki(certificate.publicKey);
  const other = spki(anotherKey(certificate.publicKey));
  const at = bytes.indexOf(own);
  if (at < 0 || own.length !== other.length) {
    const message =
      "The certificate has its public key in an unusual form, which cannot be compared with a key in hardware.";
    throw new LandfallError("certificate.unusable", message);
  }
  other.copy(bytes, at);
  return new X509Certificate(bytes);
}

function anotherKey(key: KeyObject): KeyObject {
  const { namedCurve } = key.asymmetricKeyDetails ?? {};
  if (namedCurve !== undefined) return generateKeyPairSync("ec", { namedCurve }).publicKey;
  const { n = "", e = "" } = key.export({ format: "jwk" });
  // Any other odd number will do for a modulus, since nobody is to find its factors.
  const modulus = Buffer.from(n, "base64url");
  const middle = Math.floor(modulus.length / 2);
  modulus.writeUInt8(modulus.readUInt8(middle) ^ 1, middle);
  return createPublicKey({ key: { kty: "RSA", n: modulus.toString("base64url"), e }, format: "jwk" });
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: "spki", format: "der" });
}
