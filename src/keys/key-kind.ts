import type { KeyObject } from "node:crypto";
import { LandfallError } from "../errors.ts";

const shortestModulusBits = 2048;

/** OpenSSL's names of the curves that a device key may use: P-256, and P-384 for those whose policy asks for it. */
const curves: readonly string[] = ["prime256v1", "secp384r1"];

/**
 * Throws `key.unusable` unless the key is RSA of 2048 bits or more, or EC on P-256 or P-384: what Azure IoT accepts in
 * a client certificate.
 * @param location where the key lives, for the message
 */
export function checkKeyKind(key: KeyObject, location: string): void {
  const { modulusLength = 0, namedCurve = "" } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === "rsa" && modulusLength >= shortestModulusBits) return;
  if (key.asymmetricKeyType === "ec" && curves.includes(namedCurve)) return;
  throw new LandfallError(
    "key.unusable",
    `The private key ${location} must be RSA of ${shortestModulusBits} bits or more, or EC on P-256 or P-384; ` +
      `found ${describeKind(key)}.`,
  );
}

function describeKind(key: KeyObject): string {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === "rsa") return `RSA of ${modulusLength} bits`;
  if (key.asymmetricKeyType === "ec") return `EC on ${namedCurve ?? "a curve without a name"}`;
  return `a key of type ${key.asymmetricKeyType ?? "unknown"}`;
}
