import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { isTable, type RawTable, typeShown } from "./fault.ts";
import type { Parsed, Sourced } from "./file-reference.ts";
import { locate } from "./location.ts";
import type { Place } from "./place.ts";
import type { Kind } from "./schema.ts";

const expects = 'a table, or { uri = "file:///…" } for a file with a JSON object';
const deepest = 32;

/** A JSON object, written as a table or kept in a file. */
export const jsonPayload: Kind<Sourced<JsonObject>, { readonly [key: string]: unknown }> = {
  expects,
  read(value, at) {
    if (!isTable(value)) return at.fault({ expected: expects, found: typeShown(value) });
    const file = fileNamedBy(value);
    if (file !== undefined) return at.refer({ file, isPrivate: false, parse: parseJsonObject });
    const object = toJsonObject(value, at, 1);
    return object === undefined ? undefined : { kind: "known", value: object };
  },
};

/** Only a table whose single member is a `file:` URI names a file; any other table with `uri` is a payload. */
function fileNamedBy(table: RawTable): string | undefined {
  const { uri, ...others } = table;
  const location = typeof uri === "string" ? locate(uri) : undefined;
  return Object.keys(others).length === 0 && location?.kind === "file" ? location.file : undefined;
}

function parseJsonObject(content: Buffer): Parsed<JsonObject> {
  try {
    const value: unknown = JSON.parse(content.toString("utf8"));
    return isJsonObject(value) ? { value } : { problem: { expected: "a JSON object", found: typeShown(value) } };
  } catch {
    // The parser's own message quotes the content, and somebody may point this setting at a file of secrets by mistake.
    return { problem: { expected: "a file with a JSON object", found: "text that is not JSON" } };
  }
}

function toJsonObject(table: RawTable, at: Place, depth: number): JsonObject | undefined {
  const members = Object.entries(table).filter(([, member]) => member !== undefined);
  const converted = members.map(([key, member]) => [key, toJson(member, at.at(key), depth)] as const);
  if (converted.some(([, member]) => member === undefined)) return undefined;
  return Object.fromEntries(converted) as JsonObject;
}

function toJson(value: unknown, at: Place, depth: number): JsonValue | undefined {
  const nested = isTable(value) || Array.isArray(value);
  if (nested && depth >= deepest) return at.fault({ expected: `at most ${deepest} levels`, found: "more" });
  if (isTable(value)) return toJsonObject(value, at, depth + 1);
  if (Array.isArray(value)) {
    const members = Array.from(value, (member: unknown, index) => toJson(member, at.at(index), depth + 1));
    return members.every((member) => member !== undefined) ? members : undefined;
  }
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  const found = typeof value === "number" ? String(value) : typeShown(value);
  return at.fault({ expected: "something that JSON can carry", found });
}
