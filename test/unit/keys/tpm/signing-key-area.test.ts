import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isLandfallError } from "../../../../src/errors.ts";
import { signingKeyTemplate, signingPublicKey } from "../../../../src/keys/tpm/signing-key-area.ts";
import { sized } from "../../../../src/keys/tpm/structure.ts";

const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const { x = "", y = "" } = publicKey.export({ format: "jwk" });
const noAuthorization = 1 << 10;

/** The public area as a TPM returns it: the template, with the point in the place of its last, empty parts. */
function areaOf(template: Buffer, ...point: readonly Uint8Array[]): Buffer {
  return Buffer.concat([template.subarray(0, -4), ...point.map(sized)]);
}
const coordinates = [Buffer.from(x, "base64url"), Buffer.from(y, "base64url")];
const area = areaOf(signingKeyTemplate({ hasPassword: false }), ...coordinates);

describe("the public area of a signing key", () => {
  test("gives the public key", () => {
    expect(signingPublicKey(area, "it").equals(publicKey)).toBe(true);
  });

  test("keeps a key without a password clear of the lockout, and no other", () => {
    const attributes = (hasPassword: boolean): number => signingKeyTemplate({ hasPassword }).readUInt32BE(4);
    expect(attributes(false) & noAuthorization).not.toBe(0);
    expect(attributes(true) & noAuthorization).toBe(0);
  });

  test("gives the public key when the TPM leaves leading zeros away", () => {
    // The point of P-256 with x = 5; its y begins with other bytes.
    const five = Buffer.of(5);
    const yOfFive = Buffer.from("459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc", "hex");
    const found = signingPublicKey(areaOf(signingKeyTemplate({ hasPassword: false }), five, yOfFive), "it");
    expect(Buffer.from(found.export({ format: "jwk" }).x ?? "", "base64url").at(-1)).toBe(5);
  });

  test.each([
    ["of another type", 0, 0x0001, "type 0x0001"],
    ["that decrypts", 4, 0x0002, "attributes"],
    ["on another curve", 14, 0x0004, "curve 0x0004"],
    ["bound to another scheme", 12, 0x001b, "scheme 0x1b"],
  ])("is refused %s", (_, offset, value, says) => {
    const changed = Buffer.from(area);
    changed.writeUInt16BE(value, offset);
    expect(() => signingPublicKey(changed, "the key at 0x81010010")).toThrow(
      expect.objectContaining({ code: "tpm.unsuitable-key", message: expect.stringContaining(says) }),
    );
  });

  test("is refused with a named error for whatever a TPM may answer", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 120 }),
      fc.tuple(fc.nat(area.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, flip]) => {
        const changed = Buffer.from(area);
        changed.writeUInt8((changed[at] ?? 0) ^ flip, at);
        return changed;
      }),
      fc.nat(area.length - 1).map((length) => area.subarray(0, length)),
    );
    fc.assert(
      fc.property(bytes, (answer) => {
        try {
          expect(signingPublicKey(answer, "it").asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
        } catch (error) {
          expect(isLandfallError(error) && ["tpm.unsuitable-key", "tpm.malformed-response"].includes(error.code)).toBe(
            true,
          );
        }
      }),
    );
  });
});
