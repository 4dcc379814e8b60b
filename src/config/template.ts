import { Secret } from "../secret.ts";
import { isTable, type RawTable } from "./fault.ts";
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
import { settingsSchema } from "./settings-schema.ts";
import { type TomlValue, tomlKey, tomlValue } from "./toml-text.ts";
import { alternativesInWords } from "./wording.ts";

const widestLine = 100;

/**
 * Writes a complete configuration file: what is given stands in it, everything else is there as a comment with its
 * meaning, range and default. Of settings that exclude each other (`source`, `method`) only those that go with the
 * given choice appear; where none is given, the first.
 *
 * Secrets in `answers` are written out: give the file mode 0600.
 * @param answers shape and names of the TOML file; may be incomplete, and is not checked
 */
export function renderTemplate(answers: RawTable): string {
  const head = comment(
    "The configuration of landfall. Lines that start with # and a name are defaults or examples: take the # off to set them. Check the file with `landfall run --check-config`.",
  );
  // Settings outside any table exist for files brought along from aziot; nobody writes them into a new file.
  const top = Object.entries<SchemaNode>(settingsSchema.entries)
    .filter(([key, node]) => node.node === "setting" && answers[key] !== undefined)
    .map(([key]) => `${assignment(key, answers[key])}\n`);
  const tables = Object.entries<SchemaNode>(settingsSchema.entries).map(([key, node]) =>
    renderNode(node, [key], answers[key]),
  );
  return [`${head}\n`, ...top, ...tables.flat()].join("\n");
}

function renderNode(node: SchemaNode, path: readonly string[], value: unknown): string[] {
  const table = isTable(value) ? value : {};
  switch (node.node) {
    case "setting":
      return [];
    case "table":
      return renderTable(node, path, table);
    case "variants":
      return renderVariants(node, path, table);
    case "named-tables":
      return renderNamedTables(node, path, table);
  }
}

function renderTable(
  { doc, entries }: Pick<Table, "doc" | "entries">,
  path: readonly string[],
  table: RawTable,
): string[] {
  return [`${comment(doc)}\n${header(path)}\n`, ...renderEntries(entries, path, table)];
}

function renderVariants({ doc, tag, choices }: Variants, path: readonly string[], table: RawTable): string[] {
  const names = Object.keys(choices);
  const chosen = names.find((name) => name === table[tag]) ?? names[0] ?? "";
  const meanings = names.map((name) => comment(`"${name}": ${choices[name]?.doc ?? ""}`));
  return [
    `${comment(doc)}\n${header(path)}\n`,
    `${meanings.join("\n")}\n${assignment(tag, chosen)}\n`,
    ...renderAlternatives(choices[chosen]?.alternatives),
    ...renderEntries(choices[chosen]?.entries ?? {}, path, table),
  ];
}

function renderAlternatives(alternatives: readonly Alternative[] | undefined): string[] {
  return alternatives === undefined ? [] : [`${comment(`Give ${alternativesInWords(alternatives)}.`)}\n`];
}

function renderNamedTables({ doc, names, entries }: NamedTables, path: readonly string[], tables: RawTable): string[] {
  const given = Object.entries(tables).flatMap(([name, value]) => {
    const table = isTable(value) ? value : {};
    const lines = Object.keys(entries).filter((key) => table[key] !== undefined);
    return `${[header([...path, name]), ...lines.map((key) => assignment(key, table[key]))].join("\n")}\n`;
  });
  const sample = renderEntries(entries, path, {}).join("\n");
  return [`${comment(doc)}\n#${header([...path, names.sample])}\n`, `${sample}`, ...given];
}

/** TOML wants the settings of a table before its tables. */
function renderEntries(entries: Entries, path: readonly string[], table: RawTable): string[] {
  const settings: string[] = [];
  const tables: string[] = [];
  for (const [key, node] of Object.entries(entries)) {
    if (node.node === "setting") settings.push(renderSetting(key, node, table[key]));
    else if (node.need !== "optional" || table[key] !== undefined)
      tables.push(...renderNode(node, [...path, key], table[key]));
  }
  return [...settings, ...tables];
}

function renderSetting(key: string, { doc, kind, need, sample }: Setting, value: unknown): string {
  const status = {
    required: "Required; for example:",
    optional: "Not set by default; for example:",
    default: "Default:",
  };
  const about = `${comment(doc)}\n${comment(`Allowed: ${accepted(kind)}.`)}`;
  if (value !== undefined) return `${about}\n${assignment(key, value)}\n`;
  return `${about}\n${comment(status[need])}\n#${assignment(key, sample)}\n`;
}

function header(path: readonly string[]): string {
  return `[${path.map(tomlKey).join(".")}]`;
}

function assignment(key: string, value: unknown): string {
  return `${tomlKey(key)} = ${tomlValue(writable(value))}`;
}

/** What a program may pass as input, as TOML can carry it: secrets revealed, members without value left out. */
function writable(value: unknown): TomlValue {
  if (value instanceof Secret) return String(value.reveal());
  if (Array.isArray(value)) return value.map(writable);
  if (!isTable(value)) return value as TomlValue;
  const members = Object.entries(value).filter(([, member]) => member !== undefined && member !== null);
  return Object.fromEntries(members.map(([key, member]) => [key, writable(member)]));
}

/** The text as comment lines, broken between words. */
function comment(text: string): string {
  const lines: string[] = [];
  // A table in braces is one word, blanks and all.
  for (const word of text.match(/(?:\{[^}]*\}|\S)+/g) ?? []) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < widestLine) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`# ${word}`);
  }
  return lines.join("\n");
}
