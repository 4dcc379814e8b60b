import type { KeyObject } from "node:crypto";

/**
 * Whether two public keys are the same. Keys of different kinds are told apart before OpenSSL is asked: it would note
 * the difference as an error of the thread, and some later, innocent call would throw it.
 */
export function isSamePublicKey(one: KeyObject, other: KeyObject): boolean {
  return (
    one.asymmetricKeyType === other.asymmetricKeyType &&
    one.asymmetricKeyDetails?.namedCurve === other.asymmetricKeyDetails?.namedCurve &&
    one.equals(other)
  );
}
