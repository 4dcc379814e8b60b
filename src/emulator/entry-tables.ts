import { parse, TomlError } from "smol-toml";
import { isTable, type RawTable, typeShown } from "../config/fault.ts";
import { list } from "../config/kinds.ts";
import type { Place } from "../config/place.ts";
import { readNode } from "../config/read-node.ts";
import type { Entries, Kind, Table, Values } from "../config/schema.ts";

/** A table that may be left out. */
export function table<E extends Entries>(doc: string, entries: E): Table<E, "optional"> {
  return { node: "table", need: "optional", doc, entries };
}

/** Tables one after the other, `[[name]]` in TOML. */
export function tables<E extends Entries>(entries: E): Kind<readonly Values<E>[], readonly unknown[]> {
  const node = table("", entries);
  return list<Values<E>, unknown>({
    expects: "a table",
    read: (value: unknown, at: Place) =>
      (isTable(value) ? readNode(node, value, at) : at.fault({ expected: "a table", found: typeShown(value) })) as
        | Values<E>
        | undefined,
  });
}

/** The tables in a text of TOML, or of JSON when it begins with a brace; what is wrong with it, in words, when it is neither. */
export function parseTables(text: string): RawTable | string {
  const isJson = text.trimStart().startsWith("{");
  try {
    const parsed: unknown = isJson ? JSON.parse(text) : parse(text);
    if (isTable(parsed)) return parsed;
  } catch (error) {
    // The parsers quote the text around a fault, which may hold a key, so only the place goes on.
    if (error instanceof TomlError) return `line ${error.line}, column ${error.column}: not valid TOML`;
    if (!(error instanceof SyntaxError)) throw error;
  }
  return "expected a JSON object; found something else";
}
