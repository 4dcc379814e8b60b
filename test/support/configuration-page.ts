import { unusedAziotKeys } from "../../src/config/aziot-settings.ts";
import type { Entries, SchemaNode, Setting } from "../../src/config/schema.ts";
import { settingsSchema } from "../../src/config/settings-schema.ts";
import { tomlValue } from "../../src/config/toml-text.ts";
import { alternativesInWords } from "../../src/config/wording.ts";

/** The text of `docs/configuration.md`, made from the schema. */
export function configurationPage(): string {
  const entries: readonly [string, SchemaNode][] = Object.entries(settingsSchema.entries);
  const top = Object.fromEntries(entries.filter(([, node]) => node.node === "setting")) as Readonly<
    Record<string, Setting>
  >;
  const tables = entries.flatMap(([key, node]) => sections(node, key));
  return `${[introduction, ...tables, "## Outside any table", ...settingsTable(top), conclusion].join("\n\n")}\n`;
}

const introduction = `# Configuration

landfall reads one TOML file: the one that \`-c FILE\` names, else \`./landfall.toml\`, else \`/etc/landfall/landfall.toml\`.
\`landfall init\` writes one, \`landfall run --check-config\` checks one and contacts nothing. Every fault is reported at
once, with its path, what was expected and what was found. Programs pass the same tables, with the same names, as an
object.

This page is generated from the schema in \`src/config\`.

**Durations** are texts such as \`"45s"\`, \`"10m"\`, \`"1h30m"\`, or a number of seconds.

**Files** are named by a path or a \`file:///\` URI. A relative path starts from the folder of the configuration file.

**Secrets** can stand in a file (\`{ uri = "file:///…" }\` or \`"file:///…"\`), in the environment (\`{ env = "NAME" }\` or
\`"env:NAME"\`), or in the configuration itself (\`{ value = "…" }\` or \`"…"\`). They are never printed.

**File modes.** A file that holds a private key or another secret must not be open to every user of the machine; one
that is open to its group is warned about. The configuration file itself counts when a secret stands in it.
\`chmod 600 FILE\` is right for all of them.`;

const conclusion = `## Bringing the file of aziot or IoT Edge along

\`[provisioning]\` has the names and shapes of Azure's \`config.toml\`. Of its other settings \`trust_bundle_cert\` is
understood; these are accepted, not used, and named in one warning: ${unusedAziotKeys.map((key) => `\`${key}\``).join(", ")}.`;

function sections(node: SchemaNode, path: string): string[] {
  switch (node.node) {
    case "setting":
      return [];
    case "table":
      return [`## \`[${path}]\``, node.doc, ...settingsTable(node.entries), ...below(node.entries, path)];
    case "named-tables":
      return [`## \`[${path}.NAME]\``, `${node.doc} NAME is ${node.names.expects}.`, ...settingsTable(node.entries)];
    case "variants": {
      const choices = Object.entries(node.choices);
      const meanings = choices.map(([name, { doc }]) => `- \`${node.tag} = "${name}"\`: ${doc}`);
      const each = choices.flatMap(([name, { entries, alternatives }]) => [
        `### \`[${path}]\` with \`${node.tag} = "${name}"\``,
        ...(alternatives === undefined ? [] : [`Give ${alternativesInWords(alternatives)}.`]),
        ...settingsTable(entries),
      ]);
      return [
        `## \`[${path}]\``,
        `${node.doc} \`${node.tag}\` must be given:`,
        meanings.join("\n"),
        ...each,
        ...choices.flatMap(([, { entries }]) => below(entries, path)),
      ];
    }
  }
}

function below(entries: Entries, path: string): string[] {
  return Object.entries(entries).flatMap(([key, node]) => sections(node, `${path}.${key}`));
}

function settingsTable(entries: Entries): string[] {
  const rows = Object.entries(entries).flatMap(([key, node]) => {
    if (node.node !== "setting") return [];
    const { kind, need, sample, doc } = node;
    const without = { required: "must be given", optional: "", default: `\`${tomlValue(sample)}\`` }[need];
    return [`| \`${key}\` | ${doc} | ${kind.expects} | ${without} |`];
  });
  return rows.length === 0
    ? []
    : [["| setting | meaning | value | default |", "|---|---|---|---|", ...rows].join("\n")];
}
