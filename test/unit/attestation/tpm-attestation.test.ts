import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { registrationIdOf } from "../../../src/attestation/tpm-attestation.ts";
import { activationVectors } from "../../support/paper-tpm.ts";

describe("the registration id of a TPM", () => {
  test("is that of the vectors", () => {
    const endorsementKey = Buffer.from(activationVectors.endorsementKey.public, "base64");
    expect(registrationIdOf(endorsementKey)).toBe(activationVectors.registrationId);
  });

  test("is base32 of a hash, its last character filled up with zero bits", () => {
    const id = registrationIdOf(Buffer.from("a key"));
    expect(id).toMatch(/^[a-z2-7]{52}$/);
    // 256 bits are 51 characters and one bit, so the last is a (0) or q (1).
    const hash = createHash("sha256").update("a key").digest();
    expect(id.at(-1)).toBe(((hash.at(-1) ?? 0) & 1) === 0 ? "a" : "q");
  });
});
