import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, expect, test } from "vitest";
import { isSamePublicKey } from "../../../src/keys/same-public-key.ts";

const ec = (namedCurve: string): KeyObject => generateKeyPairSync("ec", { namedCurve }).publicKey;
const keys: [string, KeyObject][] = [
  ["P-256", ec("prime256v1")],
  ["another on P-256", ec("prime256v1")],
  ["P-384", ec("secp384r1")],
  ["RSA", generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey],
  ["another RSA", generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey],
  ["Ed25519", generateKeyPairSync("ed25519").publicKey],
];

describe.each(keys)("a public key (%s)", (name, key) => {
  test.each(keys)("is told from %s, and nothing is left behind", (otherName, other) => {
    expect(isSamePublicKey(key, other)).toBe(name === otherName);
    // Fails with what OpenSSL noted before, if anything, and not with what is wrong with this text.
    expect(() => createPrivateKey("no key")).toThrow(expect.objectContaining({ code: "ERR_OSSL_UNSUPPORTED" }));
  });
});
