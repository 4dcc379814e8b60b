import { isIPv4 } from "node:net";
import { embedIpv4, type Nat64Prefix } from "./dns64.ts";
import type { HostsEntry } from "./hosts-file.ts";
import { type AnswerRecord, bareReply, type DnsQuestion, type DnsReply } from "./message.ts";
import type { DnsZone, ZoneEntry } from "./zone.ts";

/** A zone that a resolver answers from before it asks the internet. */
export interface ServedZone {
  readonly zone: DnsZone;
  /** Ask the internet for names that the zone lacks, where it would say "no such name" otherwise. Default false. */
  readonly fallbackToInternet?: boolean;
}

/** What a resolver knows. */
export interface DnsView {
  /** The zone with the longest matching name wins. */
  readonly served: readonly ServedZone[];
  /** What the internet answers; has the root among it. */
  readonly internet: readonly DnsZone[];
  /** Make up IPv6 addresses for names that have none, as the resolver of a network without IPv4 does. */
  readonly nat64?: Nat64Prefix;
  /** Entries of a hosts file that the resolver answers from, as a local stub may. */
  readonly hosts?: readonly HostsEntry[];
}

/** Longest chain of aliases that a resolver here follows. */
const longestChain = 32;

/** What a resolver with this view answers. A chain of aliases may cross zones, and each hop is looked up anew. */
export function resolve(view: DnsView, question: DnsQuestion): DnsReply {
  const own = fromHosts(view.hosts ?? [], question) ?? follow(view, question);
  if (view.nat64 === undefined || question.type !== "AAAA" || own.code !== "NOERROR" || hasAddress(own)) return own;
  return synthesise(view.nat64, follow(view, { ...question, type: "A" })) ?? own;
}

function follow(view: DnsView, { name, type }: DnsQuestion): DnsReply {
  const answers: AnswerRecord[] = [];
  for (let owner = name; ; ) {
    const { zone, entry } = find(view, owner);
    if (zone === undefined) return bareReply("SERVFAIL");
    if (entry === undefined) return { code: "NXDOMAIN", answers, authority: zone.authority };
    const ttl = entry.ttl ?? zone.ttl;
    if (entry.cname !== undefined) {
      answers.push({ name: owner, type: "CNAME", data: entry.cname, ttl });
      if (type === "CNAME") return { code: "NOERROR", answers };
      if (answers.some((record) => record.name === entry.cname) || answers.length > longestChain) {
        return bareReply("SERVFAIL");
      }
      owner = entry.cname;
      continue;
    }
    const addresses = type === "A" ? entry.a : type === "AAAA" ? entry.aaaa : undefined;
    if (addresses === undefined || addresses.length === 0) {
      return { code: "NOERROR", answers, authority: zone.authority };
    }
    answers.push(...addresses.map((data) => ({ name: owner, type: type as "A" | "AAAA", data, ttl })));
    return { code: "NOERROR", answers };
  }
}

function find(view: DnsView, owner: string): { zone: DnsZone | undefined; entry: ZoneEntry | undefined } {
  const served = longest(
    view.served.filter(({ zone }) => zone.covers(owner)),
    ({ zone }) => zone,
  );
  const own = served?.zone.find(owner);
  if (served !== undefined && (own !== undefined || served.fallbackToInternet !== true)) {
    return { zone: served.zone, entry: own };
  }
  const zone = longest(
    view.internet.filter((each) => each.covers(owner)),
    (each) => each,
  );
  return { zone, entry: zone?.find(owner) };
}

function longest<T>(candidates: readonly T[], zoneOf: (candidate: T) => DnsZone): T | undefined {
  return candidates.reduce<T | undefined>(
    (best, each) => (best === undefined || zoneOf(each).name.length > zoneOf(best).name.length ? each : best),
    undefined,
  );
}

function hasAddress({ answers }: DnsReply): boolean {
  return answers.some(({ type }) => type !== "CNAME");
}

function synthesise(prefix: Nat64Prefix, reply: DnsReply): DnsReply | undefined {
  if (!hasAddress(reply)) return undefined;
  const answers = reply.answers.map((record) =>
    record.type === "A" ? { ...record, type: "AAAA" as const, data: embedIpv4(prefix, record.data) } : record,
  );
  return { ...reply, answers };
}

function fromHosts(hosts: readonly HostsEntry[], { name, type }: DnsQuestion): DnsReply | undefined {
  const addresses = hosts.filter(({ names }) => names.includes(name)).map(({ address }) => address);
  if (addresses.length === 0) return undefined;
  const wanted = addresses.filter((address) => type === (isIPv4(address) ? "A" : "AAAA"));
  return {
    code: "NOERROR",
    answers: wanted.map((data) => ({ name, type: type as "A" | "AAAA", data, ttl: 0 })),
  };
}
