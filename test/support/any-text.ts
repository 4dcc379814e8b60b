import fc from "fast-check";

const character = fc
  .integer({ min: 0, max: 0x10ffff - 0x800 })
  .map((index) => String.fromCodePoint(index < 0xd800 ? index : index + 0x800));

/**
 * Text of any characters at all, like `fc.string({ unit: "binary" })`, whose making alone takes a second: it lists all the
 * million of them. Now and then a text of the kind that programs stumble over, such as `__proto__`.
 */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.array(character, { maxLength: 12 }).map((characters) => characters.join("")) },
  { weight: 1, arbitrary: fc.string() },
);
