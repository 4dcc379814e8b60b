import { describeRow } from "../../src/emulator/private-link/catalogue/describe-row.ts";
import type { StagedRow } from "../../src/emulator/private-link/catalogue/row.ts";
import type { UnstagedRow } from "../../src/emulator/private-link/catalogue/unstaged-failures.ts";
import type { EndpointDecision } from "../../src/endpoint/endpoint-decision.ts";

/** Settings, or a past, under which every world is decided upon. */
export interface DecisionCase {
  /** As a column's heading. */
  readonly title: string;
  /** What it means for the reader. */
  readonly meaning: string;
}

/** What was decided in one world, once for each case. */
export interface DecidedRow {
  readonly id: string;
  /** The service that the decision is about. */
  readonly service: "DPS" | "hub";
  readonly decisions: readonly EndpointDecision[];
}

/** What `landfall doctor` says about one world. */
export interface DiagnosedRow {
  readonly id: string;
  /** Null: nothing is wrong, or nothing that a device could see. */
  readonly diagnosis: string | null;
  readonly confidence?: string | undefined;
  readonly exitCode: number;
}

/** Everything that the page is made of. */
export interface PrivateLinkPage {
  readonly rows: readonly StagedRow[];
  readonly cases: readonly DecisionCase[];
  readonly decided: readonly DecidedRow[];
  readonly diagnosed: readonly DiagnosedRow[];
  readonly unstaged: readonly UnstagedRow[];
}

/** The text of `docs/private-link.md`. */
export function privateLinkPage(page: PrivateLinkPage): string {
  const { rows } = page;
  const stagings = rows.reduce((sum, { kinds }) => sum + kinds.length, 0);
  return `${[
    introduction,
    `## What a device sees\n\n${rows.length} worlds are staged, in ${stagings} variants: one for each service that a world can be about.`,
    worldTable(rows),
    decisionSection,
    list(page.cases.map(({ title, meaning }) => `**${title}**: ${meaning}`)),
    decisionTable(page),
    diagnosisSection,
    diagnosisTable(page.diagnosed),
    "## What is not staged",
    table(
      ["world", "what is wrong", "why it is not staged"],
      page.unstaged.map(({ id, cause, reason }) => [code(id), cause, reason]),
    ),
    unknownSection(rows),
  ].join("\n\n")}\n`;
}

const introduction = `# Private networks

This page is generated from worlds that tests have staged and run: name servers, private endpoints, packet filters and services
of the emulator. The names are those of the emulator's catalogue
(\`openStage\` in \`landfall/emulator\`); tests hold every cell.

The virtual network has the addresses 10.20.0.0/24; \`20.42.0.20\` is the global device endpoint, and other public addresses are
those of single resources.`;

const decisionSection = `## What is decided

\`landfall endpoint\` explains the same for the device in front of you. The word in front is the reason; *nothing* means that not a
byte of TLS leaves the device. The addresses are the only ones that are dialled, one after the other.`;

const diagnosisSection = `## What the doctor says

The one root cause that \`landfall doctor\` names, for the first service that a world is staged for. Exit code 0: nothing is wrong
that a device could see; 1: a warning; 2: the device cannot work.`;

function worldTable(rows: readonly StagedRow[]): string {
  return table(
    ["world", "what is wrong", "DNS", "TCP", "service", "basis"],
    rows.map((row) => {
      const { id, cause, dns, tcp, application, basis } = describeRow(row);
      return [code(id), cause, dns, tcp, application, basis];
    }),
  );
}

function decisionTable({ cases, decided }: PrivateLinkPage): string {
  return table(
    ["world", "about", ...cases.map(({ title }) => title)],
    decided.map(({ id, service, decisions }) => [code(id), service, ...decisions.map(decisionText)]),
  );
}

function decisionText({ kind, addresses = [], reason }: EndpointDecision): string {
  const where = kind === "none" ? "*nothing*" : `${kind} at ${addresses.join(", ")}`;
  return `${code(reason)}: ${where}`;
}

function diagnosisTable(diagnosed: readonly DiagnosedRow[]): string {
  return table(
    ["world", "diagnosis", "confidence", "exit code"],
    diagnosed.map(({ id, diagnosis, confidence, exitCode }) => [
      code(id),
      diagnosis === null ? "none" : code(diagnosis),
      confidence ?? "",
      String(exitCode),
    ]),
  );
}

/** What nobody has published about Azure, so that texts say "likely" and tests hold this project's behaviour only. */
const unknownFacts: readonly string[] = [
  "The exact error that DPS gives over HTTPS and MQTT while its public network access is disabled, at the global endpoint and at its own name. Assumed: as for a bad credential (401, CONNACK 5), so that the two cannot be told apart.",
  "Whether a service endpoint takes registrations over its public address while no private endpoint exists. Therefore the global endpoint is used where nothing is private.",
  "What a private endpoint does that is Pending, Rejected or Disconnected: nothing (a time-out) or a refusal. Assumed: nothing; both are tested.",
  "The public names behind the name of a DPS, and how long the alias into the privatelink zone stays once the last private endpoint is deleted.",
  "The order of labels in the private zone of Device Update, and the private zone of the hub's Event Hubs-compatible endpoint in the US Government cloud.",
  "What Device Update answers while public network access is disabled. Assumed: 403 in the manner of its other errors.",
];

function unknownSection(rows: readonly StagedRow[]): string {
  const likely = rows.filter(({ basis }) => basis === "likely").map(({ id }) => code(id));
  return `## What is not known

Nobody has published these facts about Azure. Where the project rests on one, its texts say *likely*.

${list(unknownFacts)}

${likely.length} of the staged worlds rest on such a fact: ${likely.join(", ")}.`;
}

const code = (text: string): string => `\`${text}\``;

const list = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join("\n");

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
