import { isDeepStrictEqual } from "node:util";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";

/**
 * Applies a JSON merge patch (RFC 7396) and returns the result; neither argument is changed.
 * `null` deletes, objects merge, everything else replaces. A target that is not an object counts as an empty one.
 */
export function applyMergePatch(target: JsonValue | undefined, patch: JsonObject): JsonObject {
  const merged = new Map(isJsonObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, isJsonObject(value) ? applyMergePatch(merged.get(key), value) : value);
  }
  // Not by assignment: a member that is named __proto__ must stay a member.
  return Object.fromEntries(merged);
}

/**
 * The smallest merge patch that turns `from` into `to`.
 * Neither may have a `null` member outside arrays: a merge patch cannot set one, and a twin never holds one.
 */
export function diffMergePatch(from: JsonObject, to: JsonObject): JsonObject {
  const deleted = Object.keys(from)
    .filter((key) => !Object.hasOwn(to, key))
    .map((key): [string, JsonValue] => [key, null]);
  const changed = Object.entries(to).flatMap(([key, value]): [string, JsonValue][] => {
    const before = Object.hasOwn(from, key) ? from[key] : undefined;
    if (isDeepStrictEqual(before, value)) return [];
    return [[key, isJsonObject(before) && isJsonObject(value) ? diffMergePatch(before, value) : value]];
  });
  return Object.fromEntries([...deleted, ...changed]);
}
