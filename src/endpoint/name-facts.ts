import { type ClassifiedAddress, type ClassifyContext, classifyAddress } from "./address-class.ts";
import { azureHost } from "./clouds.ts";
import type { NameEvidence } from "./evidence.ts";
import { isBelow, isPrivatelinkName, normaliseHost } from "./host-name.ts";
import type { ServerAnswer } from "./server-answer.ts";

/** One address that somebody gave for a name. */
export interface Observation extends ClassifiedAddress {
  readonly source: "hosts" | "system" | "dns";
  /** Who said so: `/etc/hosts:3`, `the system`, `10.0.0.4:53`. */
  readonly from: string;
  /** The record's owner is a privatelink name: the private zone itself answered. */
  readonly privatelinkOwned: boolean;
}

/** What vouches for private addresses, strongest first. */
export type Voucher = "hosts" | "privatelink" | "dns";

/**
 * What the evidence about one name shows, as the union over every name server, the system and the hosts file. Nothing here
 * depends on settings but the classes of the addresses.
 */
export interface NameFacts {
  readonly host: string;
  /** The name belongs to Azure; local addresses are then never dialled. */
  readonly azure: boolean;
  readonly observations: readonly Observation[];
  /** Private IPv4 addresses in the order to dial, followed by the IPv6 addresses that translate to them. */
  readonly vetted: readonly string[];
  readonly voucher: Voucher | undefined;
  /** Private IPv6 addresses with no private IPv4 address beside them. The services have no IPv6. */
  readonly privateIpv6: readonly string[];
  readonly publicAddresses: readonly string[];
  /** Addresses of fake-IP proxies and overlay networks: 198.18.0.0/15, and 100.64.0.0/10 that no private zone vouches for. */
  readonly overlayAddresses: readonly string[];
  /** Loopback and link-local addresses. */
  readonly localAddresses: readonly string[];
  /** Every privatelink name on the way to an answer. */
  readonly privatelinkNames: readonly string[];
  /** A private DNS zone answered "no such record" for a name that is none of its privatelink names. */
  readonly shadowingZone: string | undefined;
  /** Anything at all shows that a private endpoint or a private zone exists. */
  readonly knownPrivate: boolean;
  /** Every configured name server and the system were heard, and all of them gave public addresses and nothing else. */
  readonly unanimouslyPublic: boolean;
  /** Every configured name server and the system were heard, and all of them said that the name does not exist. */
  readonly notFound: boolean;
  /** Who was heard and gave no address, one line each. */
  readonly denials: readonly string[];
  /** The answers and views that are missing or inconclusive, one line each. */
  readonly gaps: readonly string[];
  /** Answers that end at a privatelink name which has no address, and the zone says so. */
  readonly missingRecords: readonly ServerAnswer[];
  /** Answers with an alias or nothing, no address, and no authority behind it: something took the address out. */
  readonly strippedAnswers: readonly ServerAnswer[];
  /** Answers that were truncated and could not be had whole. */
  readonly cutAnswers: readonly ServerAnswer[];
  /** The smallest TTL of any answer with addresses, in seconds. */
  readonly ttl: number | undefined;
}

/** Reads the facts off the evidence about `host`; without evidence nothing is known. */
export function readFacts(host: string, evidence: NameEvidence | undefined, context: ClassifyContext): NameFacts {
  const observations = evidence === undefined ? [] : observe(evidence, context);
  const answers = (evidence?.answers ?? []).filter(saysSomething);
  const privatelinkNames = unique(
    answers.flatMap((answer) => [...answer.chain, answer.terminalOwner]).filter(isPrivatelinkName),
  );
  const shadowingZone = answers.map(shadowOf).find((zone) => zone !== undefined);
  const ttls = answers.filter(({ addresses }) => addresses.length > 0).flatMap(({ ttl }) => ttl ?? []);
  return {
    host,
    azure: azureHost(host) !== undefined,
    observations,
    ...privateAddresses(observations),
    publicAddresses: addressesOf(observations, (each) => each.class === "public"),
    overlayAddresses: addressesOf(observations, isOverlay),
    localAddresses: addressesOf(observations, isHere),
    privatelinkNames,
    shadowingZone,
    knownPrivate: privatelinkNames.length > 0 || shadowingZone !== undefined || observations.some(isPrivate),
    unanimouslyPublic: evidence !== undefined && unanimouslyPublic(evidence, observations),
    notFound: evidence !== undefined && notFound(evidence),
    denials: evidence === undefined ? [] : denialsOf(evidence),
    gaps: evidence === undefined ? [`nothing was asked about ${host}`] : gapsOf(evidence),
    missingRecords: answers.filter(lacksRecord),
    strippedAnswers: answers.filter(isStripped),
    cutAnswers: answers.filter(({ failure }) => failure === "cut"),
    ttl: ttls.length === 0 ? undefined : Math.min(...ttls),
  };
}

/** A server that fails may still have shown the way there; an answer that contradicts itself, or none, shows nothing. */
function saysSomething({ failure }: ServerAnswer): boolean {
  return failure === undefined || failure === "cut" || failure === "refused" || failure === "server-failure";
}

function givesAddresses({ failure }: ServerAnswer): boolean {
  return failure === undefined || failure === "cut";
}

function observe(evidence: NameEvidence, context: ClassifyContext): Observation[] {
  const found: Observation[] = [];
  const add = (text: string, rest: Pick<Observation, "source" | "from" | "privatelinkOwned">): void => {
    const classified = classifyAddress(text, context);
    if (classified !== undefined) found.push({ ...classified, ...rest });
  };
  for (const { address, file, line } of evidence.hosts) {
    add(address, { source: "hosts", from: `${file}:${line}`, privatelinkOwned: false });
  }
  for (const address of evidence.system.status === "answered" ? evidence.system.addresses : []) {
    add(address, { source: "system", from: "the system", privatelinkOwned: false });
  }
  for (const { server, terminalOwner, addresses } of evidence.answers.filter(givesAddresses)) {
    const privatelinkOwned = isPrivatelinkName(terminalOwner);
    for (const { address } of addresses) add(address, { source: "dns", from: server, privatelinkOwned });
  }
  return found;
}

/** Shared address space is used by carriers and overlays too, so it is private only where a private zone itself gives it. */
function isPrivate(each: Observation): boolean {
  return each.class === "private" || (each.class === "cgnat" && each.privatelinkOwned);
}

/** A translated address leads to the translator, whatever it stands for. */
function isHere({ range, ipv4, address }: Observation): boolean {
  return (range === "loopback" || range === "link-local") && (ipv4 === undefined || ipv4 === address);
}

function isOverlay(each: Observation): boolean {
  return each.fakeIp || (each.class === "cgnat" && !each.privatelinkOwned);
}

function privateAddresses(observations: readonly Observation[]): Pick<NameFacts, "vetted" | "voucher" | "privateIpv6"> {
  const candidates = observations.filter((each) => isPrivate(each) && each.family === 4);
  const seenBySystem = new Set(observations.filter(({ source }) => source === "system").map(({ address }) => address));
  const systemFirst = (addresses: readonly string[]): string[] => [
    ...addresses.filter((each) => seenBySystem.has(each)),
    ...addresses.filter((each) => !seenBySystem.has(each)),
  ];
  const fromHosts = addressesOf(candidates, ({ source }) => source === "hosts");
  const fromZone = systemFirst(addressesOf(candidates, ({ privatelinkOwned }) => privatelinkOwned));
  const others = systemFirst(addressesOf(candidates, ({ source }) => source !== "hosts"));
  // Beside the private zone's own record, a private address without privatelink is somebody's guess: a captive portal, an old zone.
  const ipv4 = unique([...fromHosts, ...(fromZone.length > 0 ? fromZone : others)]);
  const twins = addressesOf(
    observations,
    (each) =>
      each.ipv4 !== undefined && ipv4.includes(each.ipv4) && (each.class === "private" || each.class === "cgnat"),
  );
  return {
    vetted: unique([...ipv4, ...twins]),
    voucher: voucherOf(fromHosts, fromZone, others),
    privateIpv6: ipv4.length > 0 ? [] : addressesOf(observations, isPrivate),
  };
}

function voucherOf(hosts: readonly string[], zone: readonly string[], others: readonly string[]): Voucher | undefined {
  if (hosts.some((each) => !zone.includes(each))) return "hosts";
  if (zone.length > 0) return "privatelink";
  return others.length > 0 ? "dns" : undefined;
}

/** The answers and views that are owed and missing. A server owes IPv4 and IPv6, and an empty answer owes its authority. */
function gapsOf({ servers, answers, system }: NameEvidence): string[] {
  const gaps = servers.length === 0 ? ["no name server is configured that could be asked directly"] : [];
  for (const server of servers) {
    const [ipv4, ipv6] = (["A", "AAAA"] as const).map((type) =>
      gapIn(answers.filter((answer) => answer.server === server && answer.type === type)),
    );
    if (ipv4 !== undefined && ipv4 === ipv6) gaps.push(`${server}: ${ipv4}`);
    else if (ipv4 !== undefined) gaps.push(`${server}: ${ipv4} when asked for IPv4`);
    else if (ipv6 !== undefined) gaps.push(`${server}: ${ipv6} when asked for IPv6`);
  }
  if (system.status === "failed") gaps.push(`the system's resolver: ${system.detail}`);
  return gaps;
}

function gapIn(answers: readonly ServerAnswer[]): string | undefined {
  if (answers.length === 0) return "not asked";
  const failed = answers.find(({ failure }) => failure !== undefined);
  if (failed !== undefined) return failed.failure;
  return answers.some(isStripped) ? "an empty answer without the authority of a zone" : undefined;
}

/** Who was heard and knows no address. */
function denialsOf({ answers, system }: NameEvidence): string[] {
  const empty = answers.filter(
    ({ type, failure, addresses }) => type === "A" && failure === undefined && addresses.length === 0,
  );
  return [
    ...empty.map(({ server, rcode }) => `${server}: ${rcode === "NXDOMAIN" ? "no such name" : "no address"}`),
    ...(system.status === "not-found" ? ["the system: no such name"] : []),
  ];
}

function unanimouslyPublic(evidence: NameEvidence, observations: readonly Observation[]): boolean {
  const answersIpv4 = (server: string): boolean =>
    evidence.answers.some((answer) => answer.server === server && answer.type === "A" && answer.addresses.length > 0);
  return (
    gapsOf(evidence).length === 0 &&
    evidence.servers.every(answersIpv4) &&
    (evidence.system.status === "answered" || evidence.system.status === "not-asked") &&
    observations.every((each) => each.class === "public")
  );
}

function notFound(evidence: NameEvidence): boolean {
  return (
    gapsOf(evidence).length === 0 &&
    evidence.answers.every(({ rcode }) => rcode === "NXDOMAIN") &&
    (evidence.system.status === "not-found" || evidence.system.status === "not-asked") &&
    evidence.hosts.length === 0
  );
}

function lacksRecord({ type, rcode, failure, terminalOwner, addresses, soa }: ServerAnswer): boolean {
  if (type !== "A" || failure !== undefined || addresses.length > 0 || !isPrivatelinkName(terminalOwner)) return false;
  return rcode === "NXDOMAIN" || soa !== undefined;
}

/** NOERROR without an address owes the zone's SOA (RFC 2308). For IPv6 many forwarders leave it out, so that tells nothing there. */
function isStripped({ type, rcode, failure, addresses, soa }: ServerAnswer): boolean {
  return type === "A" && failure === undefined && rcode === "NOERROR" && addresses.length === 0 && soa === undefined;
}

/**
 * The private zone that answered for a name outside of it. One that an alias led to is asked for what it is there for, and that
 * it has no IPv6 address says nothing.
 */
function shadowOf({ soa, terminalOwner }: ServerAnswer): string | undefined {
  if (soa === undefined || isPrivatelinkName(terminalOwner)) return undefined;
  const primary = normaliseHost(soa.primary);
  const isPrivateZone = primary === "azureprivatedns.net" || isBelow(primary, "azureprivatedns.net");
  return isPrivateZone || isPrivatelinkName(soa.zone) ? soa.zone : undefined;
}

/** The addresses of the observations that `wanted` accepts, without repetitions, IPv4 first. */
function addressesOf(observations: readonly Observation[], wanted: (each: Observation) => boolean): string[] {
  const chosen = observations.filter(wanted).map(({ address }) => address);
  const isIpv6 = (address: string): boolean => address.includes(":");
  return unique([...chosen.filter((each) => !isIpv6(each)), ...chosen.filter(isIpv6)]);
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
