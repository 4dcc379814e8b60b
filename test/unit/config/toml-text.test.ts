import fc from "fast-check";
import { parse } from "smol-toml";
import { describe, expect, test } from "vitest";
import { type TomlValue, tomlKey, tomlPath, tomlValue } from "../../../src/config/toml-text.ts";
import { anyText } from "../../support/any-text.ts";

const { value } = fc.letrec<{ value: TomlValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    anyText,
    fc.boolean(),
    fc.integer(),
    fc.double(),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(anyText, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

describe("TOML text", () => {
  test("is read back as the value that was written", () => {
    fc.assert(
      fc.property(anyText, value, (key, written) => {
        const read = parse(`${tomlKey(key)} = ${tomlValue(written)}`);
        expect(plain(read[key])).toEqual(plain(written));
      }),
    );
  });

  test("has paths with quoted keys and bracketed indexes", () => {
    expect(tomlPath(["methods", "say it", "command", 0])).toBe('methods."say it".command[0]');
    expect(tomlPath([])).toBe("");
  });
});

/** The same for both ends: no null prototypes, and floats that may have been written as integers. */
function plain(anything: unknown): unknown {
  if (typeof anything === "number") return Object.is(anything, -0) ? 0 : anything;
  if (Array.isArray(anything)) return anything.map(plain);
  if (typeof anything !== "object" || anything === null) return anything;
  return Object.fromEntries(Object.entries(anything).map(([key, member]) => [key, plain(member)]));
}
