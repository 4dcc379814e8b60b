import { classifyAddress } from "./address-class.ts";
import type { EndpointDecision } from "./endpoint-decision.ts";
import { type EndpointSettings, isStrict } from "./endpoint-settings.ts";
import type { EndpointEvidence, NameEvidence, SystemView } from "./evidence.ts";
import { parseCidr } from "./ip-address.ts";
import type { NetworkMemory } from "./network-memory.ts";
import { parsePrivateCidrs } from "./private-cidrs.ts";
import type { ServerAnswer } from "./server-answer.ts";
import { printable } from "./text-template.ts";

/** A decision with everything it was made from. */
export interface ExplainedDecision {
  readonly settings: EndpointSettings;
  readonly evidence: EndpointEvidence;
  readonly memory: NetworkMemory;
  readonly decision: EndpointDecision;
}

/** The decision in words, one line each: what is dialled, why, what to do, and every piece of evidence. */
export function explainLines(explained: ExplainedDecision): string[] {
  const { evidence, memory, decision } = explained;
  return [
    ...decisionLines(decision),
    ...decision.warnings.flatMap(({ code, text, remedy }) => [`Warning (${code}): ${text}`, `  ${remedy}`]),
    ...evidence.names.flatMap((name) => ["", ...nameLines(name, describer(explained))]),
    ...(evidence.nat64Prefixes.length === 0 ? [] : ["", `NAT64 prefixes in use: ${evidence.nat64Prefixes.join(", ")}`]),
    "",
    ...memoryLines(memory),
  ].map(printable);
}

function decisionLines({
  kind,
  host,
  addresses,
  proxy,
  text,
  advice,
  reason,
  row,
  retryable,
}: EndpointDecision): string[] {
  const where =
    host === undefined ? "Nothing is dialled." : `Dial ${host}${kind === "none" ? "" : ` (${kind} endpoint)`}.`;
  const how =
    host === undefined
      ? `  ${retryable ? "The agent tries again." : "Trying again does not help before something is changed."}`
      : addresses === undefined
        ? `  Not pinned: ${proxy === "allowed" ? "whoever carries the connection" : "the rule"} decides the address.`
        : `  Pinned to ${addresses.join(", then ")}; no other address is dialled.`;
  return [where, how, `Why: ${text}`, `  ${reason}, row ${row}`, ...(advice === "" ? [] : [`Do: ${advice}`])];
}

/** Turns an address into the address with its class. */
type Describe = (address: string) => string;

function describer({ settings, evidence }: Pick<ExplainedDecision, "settings" | "evidence">): Describe {
  const context = {
    privateCidrs: parsePrivateCidrs(settings.privateCidrs).cidrs,
    nat64Prefixes: evidence.nat64Prefixes.flatMap((text) => parseCidr(text) ?? []),
  };
  return (address) => {
    const found = classifyAddress(address, context);
    return found === undefined ? address : `${address} (${found.class}, ${found.range})`;
  };
}

/** Every piece of evidence about one name, one line each. */
export function evidenceLines(
  explained: Pick<ExplainedDecision, "settings" | "evidence">,
  name: NameEvidence,
): string[] {
  const [, ...lines] = nameLines(name, describer(explained));
  return lines.map((line) => line.trim());
}

function nameLines(evidence: NameEvidence, describe: Describe): string[] {
  const { host, hosts, proxy, connectTo } = evidence;
  return [
    `What is known of ${host}:`,
    ...resolverLines(evidence, describe),
    ...hosts.map(({ file, line, address }) => `  ${file}:${line}: ${describe(address)}`),
    ...(proxy.applies
      ? [`  proxy ${proxy.proxy} (${proxy.source})${proxy.resolvesNames ? ", looks names up itself" : ""}`]
      : []),
    ...(connectTo === undefined ? [] : [`  connect_to "${connectTo.rule}" leads to ${connectTo.host}`]),
  ];
}

/** Nobody is asked where a rule leads elsewhere. */
function resolverLines({ servers, answers, system, connectTo }: NameEvidence, describe: Describe): string[] {
  if (connectTo !== undefined && servers.length === 0 && system.status === "not-asked") return [];
  return [
    ...(servers.length === 0 ? ["  no name server is configured"] : []),
    ...answers.map((answer) => `  ${answerLine(answer, describe)}`),
    `  the system's resolver: ${systemLine(system, describe)}`,
  ];
}

function answerLine(answer: ServerAnswer, describe: Describe): string {
  const { server, type, rcode, failure, detail, chain, addresses, soa, ttl } = answer;
  const facts = [
    ...chain.map((alias) => `-> ${alias}`),
    ...(addresses.length > 0 ? [`= ${addresses.map(({ address }) => describe(address)).join(", ")}`] : []),
    ...(rcode !== undefined && rcode !== "NOERROR" ? [rcode] : []),
    ...(failure !== undefined ? [`[${failure}${detail === undefined ? "" : `: ${detail}`}]`] : []),
    ...(failure === undefined && rcode === "NOERROR" && addresses.length === 0 ? ["no address"] : []),
    ...(soa === undefined ? [] : [`(zone ${soa.zone}, from ${soa.primary})`]),
    ...(ttl === undefined ? [] : [`ttl ${ttl}`]),
  ];
  return `${server} ${type}: ${facts.join(" ")}`;
}

function systemLine(view: SystemView, describe: Describe): string {
  switch (view.status) {
    case "answered":
      return view.addresses.map(describe).join(", ") || "no address";
    case "not-found":
      return "no such name";
    case "failed":
      return view.detail;
    case "not-asked":
      return "not asked, explicit name servers take its place";
  }
}

function memoryLines({ sightings, damaged }: NetworkMemory): string[] {
  return [
    ...(damaged ? ["The network memory cannot be read in full."] : []),
    ...(sightings.length === 0 && !damaged ? ["No private path was ever used."] : []),
    ...sightings.map(
      ({ host, addresses, firstSeen, lastSeen }) =>
        `${host} was reached over a private path from ${new Date(firstSeen).toISOString()} to ${new Date(lastSeen).toISOString()}, at ${addresses.join(", ")}.`,
    ),
  ];
}

/** The same as JSON, schema `landfall.endpoint/1`; fields are only ever added. Holds no secret: proxies come without credentials. */
export function explainJson({ settings, evidence, memory, decision }: ExplainedDecision): Record<string, unknown> {
  return {
    schema: "landfall.endpoint/1",
    decision: { ...decision, host: decision.host ?? null, addresses: decision.addresses ?? null },
    strict: isStrict(settings),
    settings,
    evidence,
    memory,
  };
}
