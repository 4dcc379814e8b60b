import { describe, expect, test } from "vitest";
import { registrationIdOf } from "../../../../src/attestation/tpm-attestation.ts";
import { readActivationBlob } from "../../../../src/keys/tpm/activation-blob.ts";
import { activationVectors } from "../../../support/paper-tpm.ts";

const bytes = (hex: string | undefined): Buffer => Buffer.from(hex ?? "", "hex");

describe("the vectors that the emulator answers to", () => {
  test.each(activationVectors.blobs)("come apart as they were put together: $name", ({ blob, parts }) => {
    expect(readActivationBlob(Buffer.from(blob, "base64"))).toEqual({
      credential: { identityObject: bytes(parts.credential), encryptedSeed: bytes(parts.encryptedCredentialSeed) },
      key: {
        duplicate: bytes(parts.duplicate),
        encryptedSeed: bytes(parts.encryptedDuplicateSeed),
        publicArea: bytes(parts.publicArea),
      },
    });
  });

  test("are refused when they are cut, wherever that is but before the last part, which nobody needs", () => {
    const blob = Buffer.from(activationVectors.blobs[0]?.blob ?? "", "base64");
    const taken = Array.from({ length: blob.length }, (_, length) => length).filter((length) => {
      try {
        return readActivationBlob(blob.subarray(0, length)) !== undefined;
      } catch (error) {
        expect(error).toMatchObject({ code: "tpm.activation-failed" });
        return false;
      }
    });
    expect(taken).toEqual([blob.length - 2 - bytes(activationVectors.blobs[0]?.parts.data).length]);
  });

  test("give the endorsement key the registration id that Azure's tools give it", () => {
    const endorsementKey = Buffer.from(activationVectors.endorsementKey.public, "base64");
    expect(registrationIdOf(endorsementKey)).toBe(activationVectors.registrationId);
  });
});
