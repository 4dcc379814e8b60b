import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isLandfallError } from "../../../../src/errors.ts";
import { signingKeyTemplate } from "../../../../src/keys/tpm/signing-key-area.ts";
import { sized, uint32 } from "../../../../src/keys/tpm/structure.ts";
import { Tpm } from "../../../../src/keys/tpm/tpm.ts";
import { TpmDigestSigner, type TpmKeyPlace } from "../../../../src/keys/tpm/tpm-digest-signer.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";
import { ScriptedTpm } from "../../../support/scripted-tpm.ts";

const { x = "", y = "" } = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });
const point = [x, y].map((coordinate) => sized(Buffer.from(coordinate, "base64url")));
const publicArea = Buffer.concat([signingKeyTemplate({ hasPassword: false }).subarray(0, -4), ...point]);
const wrapped = { parent: 0x81000001, emptyPassword: true, publicArea, privatePart: Buffer.of(1) };

/** The response of a TPM to a command with one authorization, which may have made something with this handle. */
function response(parameters: readonly Uint8Array[], handle?: number): string {
  const content = Buffer.concat(parameters);
  const made = handle === undefined ? [] : [uint32(handle)];
  const body = Buffer.concat([...made, uint32(content.length), content, Buffer.from("0000010000", "hex")]);
  return Buffer.concat([Buffer.from("8002", "hex"), uint32(10 + body.length), uint32(0), body]).toString("hex");
}

const name = sized(Buffer.alloc(0));
const loaded = response([name], 0x80000000);
const ecdsaWithSha256 = Buffer.from("0018000b", "hex");

/** A signer with a key in a file, over a TPM that answers so. */
async function signerOver(tpm: ScriptedTpm): Promise<TpmDigestSigner> {
  const place: TpmKeyPlace = { kind: "file", path: "device.tss2.pem", key: wrapped };
  return TpmDigestSigner.open(new Tpm({ open: tpm.open, clock: new FakeClock() }), place);
}

describe("a digest that a TPM signs", () => {
  test.each([
    ["numbers of full length", "7f".repeat(32), "01".repeat(32), `30440220${"7f".repeat(32)}0220${"01".repeat(32)}`],
    ["numbers whose first bit is set", "80", "ff00", "3009020200800203 00ff00"],
    ["numbers with zeros before them, or without", "000001", "02", "3006020101020102"],
  ])("becomes a signature in DER of %s", async (_, r, s, der) => {
    const numbers = [r, s].map((hex) => sized(Buffer.from(hex, "hex")));
    const tpm = new ScriptedTpm([loaded, response([ecdsaWithSha256, ...numbers])]);
    await using signer = await signerOver(tpm);
    const signature = Buffer.from(await signer.sign(Buffer.alloc(32, 7)));
    expect(signature.toString("hex")).toBe(der.replaceAll(" ", ""));
    expect(tpm.sent[1]).toContain("07".repeat(32));
    expect(tpm.sent.at(-1)).toMatch(/00000165.*80000000$/);
  });

  test.each([0, 20, 31, 33, 64])("of %i bytes is none, and the TPM is not asked", async (length) => {
    const tpm = new ScriptedTpm();
    await using signer = await signerOver(tpm);
    await expect(signer.sign(Buffer.alloc(length))).rejects.toMatchObject({ code: "key.unusable" });
    expect(tpm.sent).toEqual([]);
  });

  test("comes to a signature or an error with a name, whatever the TPM answers", async () => {
    const part = fc.uint8Array({ maxLength: 40 }).map((bytes) => sized(bytes));
    const parameters = fc.oneof(
      fc.array(part, { maxLength: 3 }).map((parts) => [ecdsaWithSha256, ...parts]),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => [bytes]),
    );
    await fc.assert(
      fc.asyncProperty(parameters, async (content) => {
        const tpm = new ScriptedTpm([loaded, response(content)]);
        await using signer = await signerOver(tpm);
        try {
          await signer.sign(Buffer.alloc(32));
        } catch (error) {
          if (!isLandfallError(error) || !error.code.startsWith("tpm.")) throw error;
        }
        expect(tpm.lines).toBe(0);
      }),
    );
  });
});
