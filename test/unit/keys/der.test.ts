import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { der, derInteger, derObjectIdentifier, derSequence, derTag, readDer } from "../../../src/keys/der.ts";

describe("DER", () => {
  test("is read back as it was written, at any length", () => {
    const content = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.constant(new Uint8Array(70_000)));
    fc.assert(
      fc.property(fc.array(content, { maxLength: 4 }), (contents) => {
        const written = contents.map((bytes) => der(derTag.octetString, bytes));
        const [sequence, ...others] = readDer(derSequence(...written));
        expect(others).toEqual([]);
        const read = readDer(sequence?.content ?? Buffer.alloc(0));
        expect(read.map(({ tag }) => tag)).toEqual(contents.map(() => derTag.octetString));
        // Compared by themselves, because tests print what differs, and prepare for it.
        expect(read.every(({ content }, at) => content.equals(contents[at] ?? Buffer.alloc(0)))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test("is read whatever the bytes are: to elements, or to a RangeError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        let written: Buffer;
        try {
          written = Buffer.concat(readDer(bytes).map(({ tag, content }) => der(tag, content)));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          return;
        }
        expect(written).toEqual(Buffer.from(bytes));
      }),
    );
  });

  test.each([
    [0, "020100"],
    [127, "02017f"],
    [128, "02020080"],
    [0x81000001, "02050081000001"],
  ])("writes the integer %i", (value, hex) => {
    expect(derInteger(value).toString("hex")).toBe(hex);
  });

  test("writes object identifiers", () => {
    expect(derObjectIdentifier(1, 2, 840, 113549, 1, 1, 11).toString("hex")).toBe("06092a864886f70d01010b");
    expect(derObjectIdentifier(2, 23, 133, 10, 1, 3).toString("hex")).toBe("060667810 50a0103".replace(" ", ""));
  });
});
