import { createHmac } from "node:crypto";
import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LandfallError } from "../../../src/errors.ts";
import { SymmetricKey } from "../../../src/keys/symmetric-key.ts";
import { Secret } from "../../../src/secret.ts";

const parse = (text: string) => SymmetricKey.parse(new Secret(text));
const text = Buffer.from("to be signed");

/** What {@link SymmetricKey.parse} throws. */
function refusal(given: string): LandfallError {
  try {
    parse(given);
  } catch (error) {
    if (error instanceof LandfallError) return error;
  }
  throw new Error("the key was accepted");
}

describe("a symmetric key", () => {
  test("of any 16 to 64 bytes is read and signs with HMAC-SHA256", async () => {
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 64 });
    await fc.assert(
      fc.asyncProperty(bytes, fc.uint8Array(), async (key, message) => {
        const base64 = Buffer.from(key).toString("base64");
        const read = parse(base64);
        expect(Buffer.from(await read.sign(message))).toEqual(createHmac("sha256", key).update(message).digest());
        expect(read.toBase64().reveal()).toBe(base64);
      }),
      { numRuns: 50 },
    );
  });

  // RFC 4231, test case 1.
  test("gives the published signature", async () => {
    const signature = await SymmetricKey.fromBytes(Buffer.alloc(20, 0x0b)).sign(Buffer.from("Hi There"));
    expect(Buffer.from(signature).toString("hex")).toBe(
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    );
  });

  test("may have space around its text, as a file has", () => {
    expect(
      parse(`  ${"A".repeat(22)}==\n`)
        .toBase64()
        .reveal(),
    ).toBe(`${"A".repeat(22)}==`);
  });

  test.each([0, 1, 15, 65, 128])("of %i bytes is refused, with both numbers", (length) => {
    const error = refusal(Buffer.alloc(length, 1).toString("base64"));
    expect(error).toMatchObject({ code: "attestation.symmetric-key" });
    expect(error.message).toContain("16 to 64 bytes");
    expect(error.message).toContain(`found ${length}`);
  });

  test.each([
    ["HostName=h.azure-devices.net;DeviceId=d;SharedAccessKey=c2VjcmV0c2VjcmV0c2VjcmV0", "connection string"],
    ["SharedAccessSignature sr=a&sig=b&se=1", "a token"],
    ["abcdefgh-_abcdefgh-_abcdefgh-_abcdefgh", "URL-safe"],
    ["QUFBQUFBQUFBQUFBQUFBQUFBQU", "cut off"],
    ["QUFBQUFBQUFBQUFBQUFBQUFBQU=", "cut off"],
    ["not a key!", "other characters"],
    ["QUFBQUFBQUFBQUFB QUFBQUFBQUFB", "other characters"],
  ])("is told from %s", (given, hint) => {
    const error = refusal(given);
    expect(error).toMatchObject({ code: "attestation.symmetric-key" });
    expect(error.message).toContain(hint);
    expect(error.message).not.toContain(given);
  });

  test("is never shown", () => {
    const base64 = Buffer.alloc(32, "secret").toString("base64");
    const key = parse(base64);
    const shown = [inspect(key, { showHidden: true, depth: 9 }), JSON.stringify(key), String(key), `${key.toBase64()}`];
    for (const form of shown) {
      expect(form).not.toContain(base64);
      expect(form).not.toContain("secretsecret");
    }
  });

  test("does not change with the bytes it was made of", async () => {
    const bytes = Buffer.alloc(32, 1);
    const key = SymmetricKey.fromBytes(bytes);
    const before = await key.sign(text);
    bytes.fill(2);
    expect(await key.sign(text)).toEqual(before);
  });

  test("rejects with the reason of an aborted signal", async () => {
    const reason = new Error("no longer wanted");
    const key = SymmetricKey.fromBytes(Buffer.alloc(32, 1));
    await expect(key.sign(text, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
