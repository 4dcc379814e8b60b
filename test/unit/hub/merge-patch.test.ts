import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { applyMergePatch, diffMergePatch } from "../../../src/hub/merge-patch.ts";
import type { JsonObject, JsonValue } from "../../../src/json.ts";

/** Documents as twins hold them: no null members outside arrays. Few names, so that two documents have some in common. */
const name = fc.constantFrom("a", "b", "c", "", "__proto__", "constructor", "toString");
const { object } = fc.letrec<{ value: JsonValue; object: JsonObject }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<JsonValue>(0, 1, "", "x", true, [], [null], [{ a: 1 }]),
    tie("object"),
  ),
  object: fc
    .uniqueArray(fc.tuple(name, tie("value")), { maxLength: 4, selector: ([key]) => key })
    .map((entries) => Object.fromEntries(entries)),
}));

describe("merge patch", () => {
  test("follows the examples of RFC 7396", () => {
    const examples: [JsonObject, JsonObject, JsonObject][] = [
      [{ a: "b" }, { a: "c" }, { a: "c" }],
      [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
      [{ a: "b" }, { a: null }, {}],
      [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
      [{ a: ["b"] }, { a: "c" }, { a: "c" }],
      [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
      [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
      [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
      [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    ];
    for (const [target, patch, result] of examples) expect(applyMergePatch(target, patch)).toEqual(result);
  });

  test("the difference of two documents, applied to the first, gives the second", () => {
    fc.assert(
      fc.property(object, object, (from, to) => {
        expect(applyMergePatch(from, diffMergePatch(from, to))).toEqual(to);
      }),
    );
  });

  test("equal documents have no difference", () => {
    fc.assert(
      fc.property(object, (document) => {
        expect(diffMergePatch(document, structuredClone(document))).toEqual({});
      }),
    );
  });

  test("applying a difference twice changes nothing more", () => {
    fc.assert(
      fc.property(object, object, (from, to) => {
        const patch = diffMergePatch(from, to);
        expect(applyMergePatch(applyMergePatch(from, patch), patch)).toEqual(to);
      }),
    );
  });

  test("the difference names nothing that is equal on both sides", () => {
    expect(
      diffMergePatch({ same: { x: 1 }, other: { x: 1, y: 2 } }, { same: { x: 1 }, other: { x: 1, y: 3 } }),
    ).toEqual({ other: { y: 3 } });
  });

  test("changes neither of its arguments", () => {
    fc.assert(
      fc.property(object, object, (target, patch) => {
        const [targetBefore, patchBefore] = [structuredClone(target), structuredClone(patch)];
        applyMergePatch(target, patch);
        expect([target, patch]).toEqual([targetBefore, patchBefore]);
      }),
    );
  });

  test("a member named __proto__ stays a member and touches no prototype", () => {
    const patch = JSON.parse('{"__proto__":{"polluted":true}}') as JsonObject;
    const merged = applyMergePatch({}, patch);
    expect(Object.keys(merged)).toEqual(["__proto__"]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect((merged as { polluted?: boolean }).polluted).toBeUndefined();
  });
});
