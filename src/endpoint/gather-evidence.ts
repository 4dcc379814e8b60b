import { type Clock, systemClock } from "../clock.ts";
import type { DnsQuery } from "./dns-query.ts";
import type { ConnectToApplicability, EndpointEvidence, NameEvidence, ProxyApplicability } from "./evidence.ts";
import { normaliseHost } from "./host-name.ts";
import { type HostsEntry, hostsEntriesFor } from "./hosts-file.ts";
import { formatCidr } from "./ip-address.ts";
import { formatNameServer, type NameServer } from "./name-server.ts";
import { discoverPrefixes, discoveryHost } from "./nat64.ts";
import type { ServerAnswer } from "./server-answer.ts";
import type { SystemLookup } from "./system-lookup.ts";

/** Where evidence comes from. */
export interface EvidenceSources {
  /** Every name server to ask: the system's, or the explicit ones in their place. */
  readonly nameServers: readonly NameServer[];
  readonly query: DnsQuery;
  /** Absent when explicit name servers take the place of the system's resolver. */
  readonly systemLookup?: SystemLookup | undefined;
  /** The hosts file that is in force; empty when there is none. */
  readonly hosts: readonly HostsEntry[];
  /** Which proxy would carry a connection to a host. Default: none. */
  readonly proxyFor?: (host: string) => ProxyApplicability;
  /** Which `connect_to` rule sends connections for a host elsewhere. Default: none. */
  readonly connectToFor?: (host: string) => ConnectToApplicability | undefined;
  readonly clock?: Clock;
}

/**
 * Gathers the evidence about some names, everything at one time. Sends DNS queries only. Whatever fails is part of the evidence;
 * rejects only with `signal.reason`.
 */
export async function gatherEvidence(
  hosts: readonly string[],
  sources: EvidenceSources,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<EndpointEvidence> {
  const names = [...new Set(hosts.map(normaliseHost))];
  const [prefixes, ...gathered] = await Promise.all([
    nat64Prefixes(sources, signal),
    ...names.map((host) => gatherName(host, sources, signal)),
  ]);
  return { gatheredAt: (sources.clock ?? systemClock).now(), names: gathered, nat64Prefixes: prefixes };
}

async function gatherName(
  host: string,
  { nameServers, query, systemLookup, hosts, proxyFor, connectToFor }: EvidenceSources,
  signal: AbortSignal | undefined,
): Promise<NameEvidence> {
  const questions = nameServers.flatMap((server) => (["A", "AAAA"] as const).map((type) => ({ server, type })));
  const [system, ...answers] = await Promise.all([
    systemLookup?.(host, { signal }) ?? ({ status: "not-asked" } as const),
    ...questions.map(({ server, type }): Promise<ServerAnswer> => query(server, { name: host, type }, { signal })),
  ]);
  const connectTo = connectToFor?.(host);
  return {
    host,
    servers: nameServers.map(formatNameServer),
    answers,
    system,
    hosts: hostsEntriesFor(hosts, host),
    proxy: proxyFor?.(host) ?? { applies: false },
    ...(connectTo === undefined ? {} : { connectTo }),
  };
}

async function nat64Prefixes(
  { nameServers, query }: EvidenceSources,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const answers = await Promise.all(
    nameServers.map((server) => query(server, { name: discoveryHost, type: "AAAA" }, { signal })),
  );
  const addresses = answers.flatMap((answer) => answer.addresses.map(({ address }) => address));
  return discoverPrefixes(addresses).map(formatCidr);
}
