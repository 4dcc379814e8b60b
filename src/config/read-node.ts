import { isTable, type RawTable, shown, typeShown } from "./fault.ts";
import type { Place } from "./place.ts";
import {
  type Alternative,
  accepted,
  type Entries,
  type NamedTables,
  type SchemaNode,
  type Setting,
  type Table,
  type Variants,
} from "./schema.ts";
import { reportUnknown } from "./unknown-setting.ts";
import { allOf, alternativesInWords, anyOf } from "./wording.ts";

/**
 * Reads what stands at `at` by its description and reports every fault there.
 * The result is only of use when no fault was reported; its type is the schema's `Values` then.
 * @param value `undefined` when nothing was written
 */
export function readNode(node: SchemaNode, value: unknown, at: Place): unknown {
  if (node.node === "setting") return readSetting(node, value, at);
  if (value === undefined && node.need === "optional") return undefined;
  const table = value === undefined ? {} : value;
  if (!isTable(table)) return at.fault({ expected: "a table", found: typeShown(value) });
  switch (node.node) {
    case "table":
      return readTable(node, table, at);
    case "variants":
      return readVariants(node, table, at);
    case "named-tables":
      return readNamedTables(node, table, at);
  }
}

function readSetting({ need, kind, sample }: Setting, value: unknown, at: Place): unknown {
  if (value !== undefined) return kind.read(value, at);
  if (need === "required") return at.fault({ expected: accepted(kind), found: "nothing" });
  return need === "default" ? kind.read(sample, at) : undefined;
}

function readTable({ entries, alternatives }: Pick<Table, "entries" | "alternatives">, table: RawTable, at: Place) {
  for (const key of keysOf(table)) if (!Object.hasOwn(entries, key)) reportUnknown(key, Object.keys(entries), at);
  if (alternatives !== undefined) checkAlternatives(alternatives, table, at);
  return readEntries(entries, table, at);
}

function readEntries(entries: Entries, table: RawTable, at: Place): RawTable {
  return Object.fromEntries(
    Object.entries(entries).map(([key, node]) => [key, readNode(node, member(table, key), at.at(key))]),
  );
}

function readVariants({ tag, choices }: Variants, table: RawTable, at: Place): unknown {
  const names = Object.keys(choices);
  const tagged = member(table, tag);
  const chosen = typeof tagged === "string" && Object.hasOwn(choices, tagged) ? choices[tagged] : undefined;
  const { [tag]: _, ...others } = table;
  if (chosen === undefined) {
    const expected = anyOf(names.map((name) => JSON.stringify(name)));
    at.at(tag).fault({ expected, found: shown(tagged) });
    return readWithoutTag(choices, others, at);
  }
  const own = keysOf(others).filter((key) => Object.hasOwn(chosen.entries, key));
  for (const key of keysOf(others)) {
    if (own.includes(key)) continue;
    const home = names.find((name) => Object.hasOwn(choices[name]?.entries ?? {}, key));
    if (home === undefined) reportUnknown(key, [tag, ...Object.keys(chosen.entries)], at);
    else at.at(key).fault({ expected: `this only with ${tag} = "${home}"`, found: `it with ${tag} = "${tagged}"` });
  }
  const known = Object.fromEntries(own.map((key) => [key, others[key]]));
  return { [tag]: tagged, ...readTable(chosen, known, at) };
}

/** Without a tag nobody can tell what is missing, but what stands there can still be judged. */
function readWithoutTag(choices: Variants["choices"], table: RawTable, at: Place): undefined {
  const entries: Entries = Object.assign({}, ...Object.values(choices).map((variant) => variant.entries));
  for (const key of keysOf(table)) {
    const node = Object.hasOwn(entries, key) ? entries[key] : undefined;
    if (node === undefined) reportUnknown(key, Object.keys(entries), at);
    else readNode(node, table[key], at.at(key));
  }
}

function readNamedTables({ entries, names }: NamedTables, tables: RawTable, at: Place): unknown {
  const read = keysOf(tables).map((name) => {
    const place = at.at(name);
    if (!names.pattern.test(name)) place.fault({ expected: names.expects, found: shown(name) });
    const value = tables[name];
    if (!isTable(value)) return [name, place.fault({ expected: "a table", found: typeShown(value) })];
    return [name, readTable({ entries }, value, place)];
  });
  return Object.fromEntries(read);
}

function checkAlternatives(alternatives: readonly Alternative[], table: RawTable, at: Place): void {
  const given = (keys: readonly string[]) => keys.filter((key) => member(table, key) !== undefined);
  const used = alternatives.filter(({ needs, allows = [] }) => given([...needs, ...allows]).length > 0);
  const expected = alternativesInWords(alternatives);
  const [only, ...more] = used;
  if (only === undefined) at.fault({ expected, found: "nothing of them" });
  else if (more.length > 0) {
    const found = allOf(used.flatMap(({ needs, allows = [] }) => given([...needs, ...allows])));
    at.fault({ expected, found: `${found} together` });
  } else {
    const companions = allOf(given([...only.needs, ...(only.allows ?? [])]));
    for (const key of only.needs) {
      if (member(table, key) === undefined) at.at(key).fault({ expected: `it beside ${companions}`, found: "nothing" });
    }
  }
}

/** The keys that have a value; a program may well write `model_id: undefined`. */
function keysOf(table: RawTable): string[] {
  return Object.keys(table).filter((key) => table[key] !== undefined);
}

function member(table: RawTable, key: string): unknown {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
