import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seal } from "../../../../../src/emulator/dps/tpm/protection.ts";
import { parseStorageKey } from "../../../../../src/emulator/dps/tpm/storage-key.ts";
import { activationVectors } from "../../../../support/paper-tpm.ts";

const vectors = [activationVectors.endorsementKey, activationVectors.storageRootKey];
const [endorsementKey] = vectors.map((vector) => Buffer.from(vector.public, "base64")) as [Buffer, Buffer];

/** The endorsement key with other bytes at a place. */
function altered(offset: number, hex: string): string {
  const copy = Buffer.from(endorsementKey);
  copy.write(hex, offset, "hex");
  return copy.toString("base64");
}

describe("a storage key", () => {
  test.each(vectors)("has the name that the TPM gives it, %#", ({ public: text, name }) => {
    const parsed = parseStorageKey(text);
    expect(parsed).toMatchObject({ encoded: Buffer.from(text, "base64"), name: Buffer.from(name, "hex") });
  });

  test("may say its exponent instead of leaving it at the default", () => {
    expect(parseStorageKey(altered(54, "00010001"))).toHaveProperty("publicKey");
  });

  test.each([
    ["something that is not base64", "AToAAQ", { expected: "base64" }],
    ["nothing", "", { expected: "2 bytes more", found: "the end after 0" }],
    ["an elliptic-curve key", altered(2, "0023"), { expected: "the key type RSA 0x0001", found: "0x0023" }],
    ["another name algorithm", altered(4, "000c"), { expected: "the name algorithm SHA-256 0x000b" }],
    ["a key that signs", altered(6, "000500b2"), { expected: "a restricted key for decryption 0x30000" }],
    ["a key that is not restricted", altered(6, "000200b2"), { expected: "a restricted key for decryption 0x30000" }],
    ["another cipher", altered(44, "0026"), { expected: "the symmetric algorithm AES 0x0006" }],
    ["AES of 256 bits", altered(46, "0100"), { expected: "a symmetric key of 128 bits 0x0080", found: "0x0100" }],
    ["another mode", altered(48, "0042"), { expected: "the mode CFB 0x0043" }],
    ["a scheme", altered(50, "0017"), { expected: "no scheme of its own 0x0010" }],
    ["RSA 3072", altered(52, "0c00"), { expected: "a modulus of 2048 bits 0x0800", found: "0x0c00" }],
    ["another exponent", altered(54, "00000003"), { expected: "the exponent 65537 0x10001", found: "0x0003" }],
    ["a template", altered(60, "00".repeat(256)), { expected: "an odd modulus of 2048 bits" }],
    ["an even modulus", altered(315, "00"), { expected: "an odd modulus of 2048 bits" }],
    [
      "more than the structure",
      Buffer.concat([endorsementKey, Buffer.alloc(1)]).toString("base64"),
      { expected: "the end" },
    ],
  ])("is not %s", (_what, text, fault) => {
    expect(parseStorageKey(text)).toMatchObject(fault);
  });

  test("is not cut, wherever it is", () => {
    for (let length = 0; length < endorsementKey.length; length += 1) {
      const cut = endorsementKey.subarray(0, length);
      expect(parseStorageKey(cut.toString("base64"))).toHaveProperty("found");
      const sized = Buffer.concat([Buffer.from([cut.length >> 8, cut.length & 0xff]), cut.subarray(2)]);
      expect(parseStorageKey(sized.toString("base64"))).toHaveProperty("found");
    }
  });

  test("can be sealed to, whatever bits were flipped on the way, or is refused", () => {
    const offset = fc.integer({ min: 0, max: endorsementKey.length - 1 });
    fc.assert(
      fc.property(offset, fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const flipped = Buffer.from(endorsementKey);
        flipped[at] = (flipped[at] ?? 0) ^ mask;
        const parsed = parseStorageKey(flipped.toString("base64"));
        if ("found" in parsed) return;
        const seed = Buffer.alloc(32, 1);
        const sealed = seal(seed, { recipient: parsed, label: "IDENTITY", boundTo: parsed.name, seed });
        expect(sealed.encryptedSeed).toHaveLength(256);
      }),
    );
  });
});
