import { nearest } from "./did-you-mean.ts";
import type { Place } from "./place.ts";
import type { Entries, SchemaNode } from "./schema.ts";
import { settingsSchema } from "./settings-schema.ts";
import { anyOf } from "./wording.ts";

/**
 * Reports a key that its table does not know, with what may have been meant: one that is spelt much the same, or the
 * table that does know it.
 */
export function reportUnknown(key: string, siblings: readonly string[], at: Place): void {
  const near = nearest(key, siblings);
  const homes = tablesWith(key, settingsSchema).map((table) => `[${table}]`);
  const elsewhere = homes.length === 0 ? undefined : `it belongs in ${anyOf(homes)}`;
  const hint = near === undefined ? elsewhere : `did you mean ${near}?`;
  at.at(key).fault({ expected: "a known setting", found: "an unknown one", ...(hint === undefined ? {} : { hint }) });
}

/** The paths of the tables that know `key`, apart from the top level. */
function tablesWith(key: string, node: SchemaNode, path = ""): string[] {
  const entries: Entries = Object.assign({}, ...members(node));
  const below = Object.entries(entries).flatMap(([name, child]) => {
    const childPath = `${path === "" ? "" : `${path}.`}${name}${child.node === "named-tables" ? ".NAME" : ""}`;
    return tablesWith(key, child, childPath);
  });
  return path !== "" && Object.hasOwn(entries, key) ? [path, ...below] : below;
}

function members(node: SchemaNode): readonly Entries[] {
  if (node.node === "setting") return [];
  return node.node === "variants" ? Object.values(node.choices).map(({ entries }) => entries) : [node.entries];
}
