import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatTpmKeyFile, isTpmKeyFile, parseTpmKeyFile } from "../../../../src/keys/tpm/key-file.ts";

const key = {
  parent: 0x81000001,
  emptyPassword: true,
  publicArea: Buffer.from("the public area"),
  privatePart: Buffer.from("the private part"),
};

describe("the file of a key that a TPM has wrapped", () => {
  test("is read back as it was written", () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((part) => Buffer.from(part));
    const file = fc.record({
      parent: fc.integer({ min: 0, max: 0xffffffff }),
      emptyPassword: fc.boolean(),
      publicArea: bytes,
      privatePart: bytes,
    });
    fc.assert(
      fc.property(file, (given) => {
        const pem = formatTpmKeyFile(given);
        expect(isTpmKeyFile(pem)).toBe(true);
        expect(parseTpmKeyFile(pem, "f")).toEqual(given);
      }),
    );
  });

  test("is refused when a byte is changed or missing, unless it is one of the parts themselves", () => {
    const whole = Buffer.from(formatTpmKeyFile(key).split("\n").slice(1, -2).join(""), "base64");
    const pem = (bytes: Uint8Array): string =>
      `-----BEGIN TSS2 PRIVATE KEY-----\n${Buffer.from(bytes).toString("base64")}\n-----END TSS2 PRIVATE KEY-----\n`;
    for (let length = 0; length < whole.length; length++) {
      expect(() => parseTpmKeyFile(pem(whole.subarray(0, length)), "f")).toThrow(
        expect.objectContaining({ code: "key.unusable" }),
      );
    }
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(whole);
        changed.writeUInt8((changed[at] ?? 0) ^ flip, at);
        try {
          expect(parseTpmKeyFile(pem(changed), "f")).not.toEqual(key);
        } catch (error) {
          expect(error).toMatchObject({ code: "key.unusable" });
        }
      }),
    );
  });
});
