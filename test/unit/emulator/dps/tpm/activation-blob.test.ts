import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeActivationBlob } from "../../../../../src/emulator/dps/tpm/activation-blob.ts";
import { deriveKey } from "../../../../../src/emulator/dps/tpm/key-derivation.ts";
import { parseStorageKey, type StorageKey } from "../../../../../src/emulator/dps/tpm/storage-key.ts";
import { activationVectors, PaperTpm } from "../../../../support/paper-tpm.ts";

const tpm = new PaperTpm();
const keys = {
  endorsementKey: parseStorageKey(tpm.endorsementKey) as StorageKey,
  storageRootKey: parseStorageKey(tpm.storageRootKey) as StorageKey,
};
const bytes = (hex: string): Buffer => Buffer.from(hex, "hex");

describe("an activation blob", () => {
  test.each(activationVectors.blobs)("is that of the vector: $name", ({ key, note, nonces, blob }) => {
    const { innerKey, obfuscation, duplicateSeed, credentialSeed } = nonces;
    const made = makeActivationBlob({
      keys,
      key: bytes(key),
      note,
      nonces: {
        innerKey: bytes(innerKey),
        obfuscation: bytes(obfuscation),
        duplicateSeed: bytes(duplicateSeed),
        credentialSeed: bytes(credentialSeed),
      },
    });
    const expected = Buffer.from(blob, "base64");
    expect(withoutSeeds(made)).toEqual(withoutSeeds(expected));
    expect(tpm.open(made)).toEqual(tpm.open(expected));
    expect(tpm.open(made)).toMatchObject({ key: bytes(key), note, credentialSeed: bytes(credentialSeed) });
  });

  test("brings any key and any note to the TPM", () => {
    const noise = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    const nonces = fc.record({
      innerKey: noise(16),
      obfuscation: noise(32),
      duplicateSeed: noise(32),
      credentialSeed: noise(32),
    });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.string(), nonces, (key, note, drawn) => {
        const buffers = Object.fromEntries(Object.entries(drawn).map(([name, value]) => [name, Buffer.from(value)]));
        const made = makeActivationBlob({ keys, key: Buffer.from(key), note, nonces: buffers as never });
        const opened = tpm.open(made);
        expect(opened.key).toEqual(Buffer.from(key));
        expect(opened.note).toBe(Buffer.from(note).toString());
      }),
      { numRuns: 20 },
    );
  });

  test("is for one pair of keys alone", () => {
    const { endorsementKey, storageRootKey } = activationVectors;
    const swapped = new PaperTpm({ endorsementKey: storageRootKey, storageRootKey: endorsementKey });
    const blob = Buffer.from(activationVectors.blobs[0]?.blob ?? "", "base64");
    expect(() => swapped.open(blob)).toThrow();
    const otherRoot = new PaperTpm({
      endorsementKey,
      storageRootKey: { ...storageRootKey, name: `000b${"00".repeat(32)}` },
    });
    expect(() => otherRoot.open(blob)).toThrow("the outer integrity");
  });
});

/** The blob with zeros for the two seeds, which are encrypted with random padding; they lie behind what is before them. */
function withoutSeeds(blob: Buffer): Buffer {
  const copy = Buffer.from(blob);
  const credentialEnd = 2 + copy.readUInt16BE(0);
  const duplicateEnd = credentialEnd + 258 + 2 + copy.readUInt16BE(credentialEnd + 258);
  return copy.fill(0, credentialEnd + 2, credentialEnd + 258).fill(0, duplicateEnd + 2, duplicateEnd + 258);
}

describe("a key of a seed", () => {
  test.each(activationVectors.keyDerivation)("is that of the vector: $label, $bits bits", (vector) => {
    const { seed, label, context, bits, key } = vector;
    expect(deriveKey(bytes(seed), { label, context: bytes(context), bits })).toEqual(bytes(key));
  });
});
