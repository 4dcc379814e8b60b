import { type Answer, type DecodedPacket, decode, encode, RECURSION_DESIRED } from "dns-packet";
import { isBelow, normaliseHost } from "./host-name.ts";
import { formatIp, parseIp } from "./ip-address.ts";
import { printable } from "./text-template.ts";

/** The record types that lead to an address. */
export type QueryType = "A" | "AAAA";

/** One question to one name server. */
export interface DnsQuestion {
  readonly name: string;
  readonly type: QueryType;
}

/**
 * Why a response is not conclusive.
 *
 * - `refused`, `server-failure`: the server said so (REFUSED; SERVFAIL and every other code but NXDOMAIN)
 * - `cut`: truncated, and the rest could not be had over TCP
 * - `loop`, `chain-too-long`: the chain of aliases goes in a circle, or on for more than {@link longestChain} hops
 * - `malformed`: not a DNS message, or one that contradicts itself
 */
export type ResponseFault = "refused" | "server-failure" | "cut" | "loop" | "chain-too-long" | "malformed";

/** An address and how long it may be kept, in seconds. */
export interface AddressRecord {
  readonly address: string;
  readonly ttl: number;
}

/** The zone that said "no such record". */
export interface ZoneAuthority {
  readonly zone: string;
  /** The primary server of the zone; `azureprivatedns.net` betrays a private DNS zone of Azure. */
  readonly primary: string;
}

/** What one response says, with everything dropped that is not on the way from the question to its answer. */
export interface DnsResponse {
  /** `NOERROR`, `NXDOMAIN`, `SERVFAIL`, `REFUSED`, or `RCODE<n>`. */
  readonly rcode: string;
  readonly fault?: ResponseFault;
  /** The aliases in order, from the question's own target on; empty when the question's name owns the answer. */
  readonly chain: readonly string[];
  /** The last name of the chain: it owns the addresses, or lacks them. */
  readonly terminalOwner: string;
  readonly addresses: readonly AddressRecord[];
  /** The authority for "no such record", when it covers {@link terminalOwner}. */
  readonly soa?: ZoneAuthority;
  /** The smallest TTL on the way, in seconds. */
  readonly ttl?: number;
}

/** Most aliases that are followed; real chains have about five. */
export const longestChain = 16;

const rcodeNames = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"] as const;

/** A query for the wire, with recursion asked for. The name is taken as complete: no search domain is ever added. */
export function encodeQuery(id: number, { name, type }: DnsQuestion): Buffer {
  return encode({ type: "query", id, flags: RECURSION_DESIRED, questions: [{ type, name: normaliseHost(name) }] });
}

/**
 * Reads a message that arrived for a query. Returns undefined when it is not a response to this very query (id, QR bit, opcode
 * and question must match): such a message is somebody else's, or forged, and says nothing.
 */
export function readResponse(bytes: Uint8Array, id: number, question: DnsQuestion): DnsResponse | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < 12 || buffer.readUInt16BE(0) !== id) return undefined;
  const flags = buffer.readUInt16BE(2);
  const [isResponse, opcode] = [flags >> 15 === 1, (flags >> 11) & 0xf];
  if (!isResponse || opcode !== 0) return undefined;
  const code = flags & 0xf;
  let packet: DecodedPacket;
  try {
    packet = decode(buffer);
  } catch {
    return empty("NOERROR", question, "malformed");
  }
  if (!answersQuestion(packet, question, code)) return undefined;
  return interpret(packet, question, rcodeNames[code] ?? `RCODE${code}`);
}

function answersQuestion({ questions = [] }: DecodedPacket, { name, type }: DnsQuestion, code: number): boolean {
  // A server that could not read the query, or will not, may leave the question out. Such a response is a failure anyway.
  if (questions.length === 0) return code !== 0 && code !== 3;
  const [asked] = questions;
  return (
    questions.length === 1 &&
    asked !== undefined &&
    asked.type === type &&
    (asked.class ?? "IN") === "IN" &&
    wireName(asked.name) === normaliseHost(name)
  );
}

/** A name off the wire. Labels may hold any bytes: escaped, none passes for a letter that it resembles. */
function wireName(name: string): string {
  return normaliseHost(printable(name));
}

const empty = (rcode: string, { name }: DnsQuestion, fault: ResponseFault): DnsResponse => ({
  rcode,
  fault,
  chain: [],
  terminalOwner: normaliseHost(name),
  addresses: [],
});

function interpret(packet: DecodedPacket, question: DnsQuestion, rcode: string): DnsResponse {
  const records = (packet.answers ?? []).filter((record) => "class" in record && record.class === "IN");
  const chain = followChain(normaliseHost(question.name), records);
  if (typeof chain === "string") return empty(rcode, question, chain);
  const conclusive = rcode === "NOERROR" || rcode === "NXDOMAIN";
  const addresses = rcode === "NOERROR" ? addressesOf(chain.terminalOwner, question.type, records) : [];
  if (addresses === undefined) return empty(rcode, question, "malformed");
  const soa =
    conclusive && addresses.length === 0 ? authorityOf(chain.terminalOwner, packet.authorities ?? []) : undefined;
  const fault = faultOf(rcode, packet.flag_tc);
  const ttls = [...chain.ttls, ...addresses.map(({ ttl }) => ttl)];
  return {
    rcode,
    ...(fault === undefined ? {} : { fault }),
    chain: chain.names,
    terminalOwner: chain.terminalOwner,
    addresses,
    ...(soa === undefined ? {} : { soa }),
    ...(ttls.length === 0 ? {} : { ttl: Math.min(...ttls) }),
  };
}

function faultOf(rcode: string, truncated: boolean): ResponseFault | undefined {
  if (rcode === "REFUSED") return "refused";
  if (rcode !== "NOERROR" && rcode !== "NXDOMAIN") return "server-failure";
  return truncated ? "cut" : undefined;
}

interface Chain {
  readonly names: readonly string[];
  readonly terminalOwner: string;
  readonly ttls: readonly number[];
}

/** Follows the aliases from `start`; records that are not on the way are not looked at. */
function followChain(start: string, records: readonly Answer[]): Chain | "loop" | "chain-too-long" | "malformed" {
  const names: string[] = [];
  const ttls: number[] = [];
  for (let owner = start; ; ) {
    const aliases = records.filter((record) => record.type === "CNAME" && wireName(record.name) === owner);
    const targets = new Set(aliases.map((alias) => (alias.type === "CNAME" ? wireName(alias.data) : "")));
    const [target] = targets;
    if (target === undefined) return { names, terminalOwner: owner, ttls };
    if (targets.size > 1) return "malformed";
    if (target === start || names.includes(target)) return "loop";
    if (names.length === longestChain) return "chain-too-long";
    names.push(target);
    for (const alias of aliases) if (alias.type === "CNAME") ttls.push(alias.ttl ?? 0);
    owner = target;
  }
}

/** The addresses that `owner` itself has, in canonical text; undefined when one is no address. */
function addressesOf(owner: string, type: QueryType, records: readonly Answer[]): AddressRecord[] | undefined {
  const addresses: AddressRecord[] = [];
  for (const record of records) {
    if (record.type !== type || wireName(record.name) !== owner) continue;
    const ip = parseIp(record.data);
    if (ip === undefined) return undefined;
    addresses.push({ address: formatIp(ip), ttl: record.ttl ?? 0 });
  }
  return addresses;
}

function authorityOf(owner: string, authorities: readonly Answer[]): ZoneAuthority | undefined {
  for (const record of authorities) {
    if (record.type !== "SOA") continue;
    const zone = wireName(record.name);
    if (zone === owner || zone === "" || isBelow(owner, zone)) return { zone, primary: wireName(record.data.mname) };
  }
  return undefined;
}
