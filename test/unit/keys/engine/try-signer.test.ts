import { generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { DigestSigner } from "../../../../src/keys/digest-signer.ts";
import { trySigner } from "../../../../src/keys/engine/try-signer.ts";

const own = generateKeyPairSync("ec", { namedCurve: "P-256" });

/** A signer that shows the key `own`, and makes of a digest whatever `answer` does. */
function signerWith(answer: (digest: Uint8Array) => Uint8Array): DigestSigner {
  return {
    publicKey: own.publicKey,
    sign: async (digest) => answer(digest),
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

describe("a signer that is tried", () => {
  test("is asked for the signature of one digest", async () => {
    const seen: number[] = [];
    const signer = signerWith((digest) => {
      seen.push(digest.length);
      throw new Error("no");
    });
    await expect(trySigner(signer)).rejects.toThrow("no");
    expect(seen).toEqual([32]);
  });

  test.each<[string, (digest: Uint8Array) => Uint8Array]>([
    ["another key", (digest) => sign("sha256", digest, generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey)],
    ["its own key, but of something else", (digest) => sign("sha256", digest, own.privateKey)],
    ["nothing", () => new Uint8Array()],
    ["no signature", () => Buffer.from("3006020101020101", "hex")],
  ])("is refused when it signs with %s", async (_, answer) => {
    await expect(trySigner(signerWith(answer))).rejects.toMatchObject({ code: "certificate.key-mismatch" });
  });
});
