import { allChecks } from "../../src/doctor/catalogue.ts";
import { type Check, type CheckGroup, groups } from "../../src/doctor/check.ts";
import { diagnosisRules } from "../../src/doctor/diagnosis/diagnose.ts";
import { stagedRows } from "../../src/emulator/private-link/catalogue/catalogue.ts";
import { unstagedFailures } from "../../src/emulator/private-link/catalogue/unstaged-failures.ts";
import { expectedDiagnoses } from "./expected-diagnoses.ts";

/** The text of `docs/doctor.md`, made from the checks, the rules of diagnosis and the staged failures. */
export function doctorPage(): string {
  const parts = [
    introduction,
    checksIntroduction,
    ...Object.keys(groups).flatMap((group) => section(group as CheckGroup)),
  ];
  return `${[...parts, diagnoses(), stages(), unknowns].join("\n\n")}\n`;
}

const introduction = `# The doctor

\`landfall doctor\` looks at everything between this device and its hub: configuration, credential, names, the choice of an
endpoint, TCP, TLS, the services themselves. It names **one** root cause, how sure that is, and what to ask whom for.

It changes nothing. It registers nothing; DPS is asked about this device by a look-up, which DPS does not charge for. It
writes no file but the bundle that \`--bundle\` names. It dials what the agent would dial, at the addresses that the agent
would dial; with \`network = "private"\` or \`data_residency = "strict"\` it neither looks up nor contacts a global endpoint.
Nothing that it prints holds a key, a token or a password.

| option | does |
|---|---|
| \`-c FILE\` | the configuration to examine |
| \`--json\` | the report as one line of JSON, \`landfall.doctor/1\` |
| \`-v\`, \`--verbose\` | tells of every check what was seen, also of those that do not apply |
| \`--only ID\`, \`--skip ID\` | some checks alone, with what they depend on; or all but some. \`tcp\` and \`tcp.dps\` stand for all checks that begin so |
| \`--list\` | the checks, and runs none |
| \`--time-limit TIME\` | longest time for everything, 60s unless given; every check that contacts anybody has a limit of its own beside |
| \`--hub-connect\` | also connects to the hub. A hub has one connection for each device, so **this throws out an agent that runs**: stop it first |
| \`--bundle FILE\` | writes a support bundle, \`landfall.bundle/1\`: report, effective configuration, resolver files, hosts lines of Azure names, network memory, assignment. Ids of the device are shortened; secrets, payloads and arguments of commands are left out |

Exit codes: 0 all is well; 1 warnings, or something that could not be found out; 2 failures; 3 bad configuration or usage;
4 the doctor could not finish. Results: \`ok\`, \`warning\`, \`failed\`, \`skipped\`, \`unknown\`.

Device Update, Digital Twins and the hub's Event Hubs-compatible endpoint are looked at when \`[doctor]\` of the configuration
names them.

This page is generated from the checks and rules themselves.`;

const checksIntroduction = `## The checks

Each check runs as soon as those that it depends on have ended, and is skipped when one of them leaves it nothing to stand
on. Every finding comes with its likely cause and with what to do, and whom to ask.`;

function section(group: CheckGroup): string[] {
  const checks = allChecks.filter((check) => check.group === group);
  return [`### ${groups[group]}`, ...families(checks).map(checkText)];
}

/** Checks that differ in service and port alone are told of once. */
function families(checks: readonly Check[]): readonly (readonly [Check, ...Check[]])[] {
  const found = new Map<string, [Check, ...Check[]]>();
  for (const check of checks) {
    const kind =
      /^(dns|endpoint|tcp|tls|access)\.(dps|hub|event-hubs|device-update|digital-twins)/.exec(check.id)?.[1] ??
      check.id;
    const family = found.get(kind);
    if (family === undefined) found.set(kind, [check]);
    else family.push(check);
  }
  return [...found.values()];
}

function checkText(family: readonly [Check, ...Check[]]): string {
  const [first] = family;
  const failures = new Map(family.flatMap((check) => Object.entries(check.failures)));
  const depends = [...new Set(family.flatMap(({ dependsOn }) => dependsOn))];
  const needs =
    depends.length === 0 ? "Depends on nothing" : `Depends on ${depends.map((id) => `\`${id}\``).join(", ")}`;
  const rows = [...failures].map(
    ([code, { status, when, cause, remedy }]) => `| \`${code}\` | ${status} | ${when} | ${cause} | ${remedy} |`,
  );
  const table =
    rows.length === 0
      ? []
      : ["", "| finding | status | when | likely cause | what to do |", "|---|---|---|---|---|", ...rows];
  const does = first.does.replace(/port \d+/g, family.length > 1 ? "the port" : "$&");
  return [
    `**${family.map(({ id }) => `\`${id}\``).join(", ")}**`,
    "",
    `${does} ${needs}; ends within ${first.deadlineMs / 1000} s.`,
    ...table,
  ].join("\n");
}

function diagnoses(): string {
  const seen = new Set<string>();
  const rows = diagnosisRules.map(({ id, confidence, about }) => {
    const name = seen.has(id) ? `\`${id}\`, also` : `\`${id}\``;
    seen.add(id);
    return `| ${name} | ${confidence} | ${about} |`;
  });
  return [
    "## The diagnosis",
    "",
    "The rules are tried in this order, on failures first, then on what could not be found out, then on warnings; the first",
    "that applies names the root cause. *Certain*: the evidence leaves no other explanation. *Likely*: this is what usually is",
    "behind it; Azure does not document it, or another cause looks the same. *Possible*: one of several explanations.",
    "",
    "| root cause | usually | when |",
    "|---|---|---|",
    ...rows,
  ].join("\n");
}

function stages(): string {
  const rows = stagedRows.map(({ id, cause, basis, kinds }) => {
    const expected = expectedDiagnoses[id];
    const others = Object.entries(expected?.kinds ?? {}).map(([kind, each]) => `; ${kind}: \`${each?.diagnosis}\``);
    const says = expected?.diagnosis === null ? "nothing is wrong" : `\`${expected?.diagnosis}\``;
    return `| \`${id}\` | ${cause} | ${basis} | ${kinds.join(", ")} | ${says}${others.join("")} | ${expected?.exitCode} |`;
  });
  const count = stagedRows.reduce((sum, { kinds }) => sum + kinds.length, 0);
  return [
    "## Failures that are staged, and what the doctor makes of them",
    "",
    `${stagedRows.length} worlds are staged with real sockets, ${count} with the kinds of resources that they can be about; a test`,
    "holds the doctor to the last two columns. The device has a private DPS and hub. *Documented*: the real service says so;",
    "*observed*: seen with real packet filters and resolvers; *likely*: nobody has published it.",
    "",
    "| world | what is wrong | basis | staged for | root cause | exit code |",
    "|---|---|---|---|---|---|",
    ...rows,
    "",
    "Not staged in one process:",
    "",
    ...unstagedFailures.map(({ id, cause, reason }) => `- \`${id}\`: ${cause}. ${reason}`),
  ].join("\n");
}

const unknowns = `## What nobody has published

The doctor words as *likely* what Azure does not document:

- what DPS and IoT Hub answer while public network access is disabled, other than that it looks like a refused credential
  (401, CONNACK 5); the same for IP rules, which the answer does not mention;
- what a private endpoint does that is Pending, Rejected or Disconnected: it carries nothing, whether by silence or by refusal;
- what DPS answers to a look-up of a device that is enrolled and never registered;
- the text of Device Update while public network access is disabled.`;
