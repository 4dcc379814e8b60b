import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nearest } from "../../../src/config/did-you-mean.ts";

const settings = [
  "id_scope",
  "registration_id",
  "symmetric_key",
  "identity_cert",
  "identity_pk",
  "keep_alive",
  "proxy",
];

describe("the nearest setting", () => {
  test.each([
    ["idScope", "id_scope"],
    ["id-scope", "id_scope"],
    ["ID_SCOPE", "id_scope"],
    ["symetric_key", "symmetric_key"],
    ["registraton_id", "registration_id"],
    ["identity_crt", "identity_cert"],
    ["keepalive", "keep_alive"],
    ["porxy", "proxy"],
  ])("to %s is %s", (word, meant) => {
    expect(nearest(word, settings)).toBe(meant);
  });

  test.each(["frobnicate", "x", "", "certificate", "a".repeat(10_000)])("to %s is none", (word) => {
    expect(nearest(word, settings)).toBeUndefined();
  });

  test("to a known word with two neighbours swapped is that word", () => {
    const swapped = fc.constantFrom(...settings).chain((word) =>
      fc.integer({ min: 0, max: word.length - 2 }).map((at) => {
        const letters = [...word];
        letters.splice(at, 2, word[at + 1] ?? "", word[at] ?? "");
        return { word, letters: letters.join("") };
      }),
    );
    fc.assert(
      fc.property(swapped, ({ word, letters }) => {
        expect(nearest(letters, settings)).toBe(word);
      }),
    );
  });
});
