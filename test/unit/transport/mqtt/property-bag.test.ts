import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodePropertyBag, encodePropertyBag } from "../../../../src/transport/mqtt/property-bag.ts";

const wellFormed = fc.string({ unit: "binary" }).filter((text) => !/\p{Surrogate}/u.test(text));
const properties = fc.array(fc.tuple(wellFormed, wellFormed));

describe("a property bag", () => {
  test("gives back every property that went in, in order", () => {
    fc.assert(
      fc.property(properties, (pairs) => {
        expect(decodePropertyBag(encodePropertyBag(pairs))).toEqual(pairs);
      }),
    );
  });

  test("never holds a character that means something in a topic", () => {
    fc.assert(
      fc.property(properties, (pairs) => {
        expect(encodePropertyBag(pairs)).not.toMatch(/[#+/?\0$]/);
      }),
    );
  });

  test("stands up to text that is no character", () => {
    expect(decodePropertyBag(encodePropertyBag([["a", "x\ud800y"]]))).toEqual([["a", "x\ufffdy"]]);
  });

  test("can be read whatever it holds", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (bag) => void decodePropertyBag(bag)));
    fc.assert(fc.property(fc.stringMatching(/^[%&=a0]*$/), (bag) => void decodePropertyBag(bag)));
  });
});
