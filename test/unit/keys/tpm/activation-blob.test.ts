import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isLandfallError } from "../../../../src/errors.ts";
import { readActivationBlob } from "../../../../src/keys/tpm/activation-blob.ts";
import { activationVectors } from "../../../support/paper-tpm.ts";

describe("an activation blob", () => {
  test.each(activationVectors.blobs.map((vector) => [vector.name, vector] as const))(
    "comes apart as the vector says: %s",
    (_, { blob, parts }) => {
      const { credential, key } = readActivationBlob(Buffer.from(blob, "base64"));
      const found = [
        credential.identityObject,
        credential.encryptedSeed,
        key.duplicate,
        key.encryptedSeed,
        key.publicArea,
      ];
      const expected = Object.values(parts).slice(0, found.length);
      expect(found.map((part) => Buffer.from(part).toString("hex"))).toEqual(expected);
    },
  );

  test("is none when one of its parts is empty", () => {
    for (let empty = 0; empty < 5; empty++) {
      const parts = Array.from({ length: 5 }, (_, index) => Buffer.from(index === empty ? "0000" : "0001aa", "hex"));
      expect(() => readActivationBlob(Buffer.concat(parts))).toThrow(
        expect.objectContaining({ code: "tpm.activation-failed", message: expect.stringContaining("without content") }),
      );
    }
  });

  test("of any bytes comes apart or is an error with a name, which shows none of them", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.constantFrom(0, 0, 1, 2, 5), { maxLength: 40 }).map((some) => Buffer.from(some)),
    );
    fc.assert(
      fc.property(bytes, (blob) => {
        try {
          readActivationBlob(blob);
        } catch (error) {
          if (!isLandfallError(error)) throw error;
          expect(error.code).toBe("tpm.activation-failed");
          expect(error.message).toMatch(
            /^The activation blob of \d+ bytes is cut off or is none: The activation blob has/,
          );
        }
      }),
    );
  });
});
