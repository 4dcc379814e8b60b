import type { LookupFunction } from "node:net";
import type { DnsQuery } from "./dns-query.ts";
import { normaliseHost } from "./host-name.ts";
import { type HostsEntry, hostsEntriesFor } from "./hosts-file.ts";
import { parseIp } from "./ip-address.ts";
import type { NameServer } from "./name-server.ts";
import type { ServerAnswer } from "./server-answer.ts";

/** What a {@link LookupFunction} is made from. */
export interface NameServerLookupSources {
  readonly nameServers: readonly NameServer[];
  readonly query: DnsQuery;
  readonly hosts: readonly HostsEntry[];
}

/**
 * A `lookup` for sockets that asks explicit name servers instead of the system, so that a name is dialled where the evidence
 * says. The hosts file comes first, then the name servers in their order: the first conclusive answer counts. Fails with
 * `ENOTFOUND` when the name has no address, and with `EAI_AGAIN` when no name server gave a conclusive answer.
 */
export function nameServerLookup(sources: NameServerLookupSources): LookupFunction {
  return (hostname, options, callback) => {
    const family =
      options.family === 4 || options.family === "IPv4" ? 4 : options.family === 6 || options.family === "IPv6" ? 6 : 0;
    const types = family === 0 ? (["A", "AAAA"] as const) : family === 4 ? (["A"] as const) : (["AAAA"] as const);
    resolve(normaliseHost(hostname), types, sources).then(
      (found) => {
        const all = found.map((address) => ({ address, family: parseIp(address)?.family ?? 4 }));
        const [first] = all;
        if (first === undefined) callback(lookupError("ENOTFOUND", hostname), "");
        else if (options.all) callback(null, all);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, ""),
    );
  };
}

async function resolve(
  host: string,
  types: readonly ("A" | "AAAA")[],
  { nameServers, query, hosts }: NameServerLookupSources,
): Promise<string[]> {
  if (parseIp(host) !== undefined) return [host];
  const families = types.map((type) => (type === "A" ? 4 : 6));
  const wanted = (address: string): boolean => families.includes(parseIp(address)?.family ?? 4);
  const listed = hostsEntriesFor(hosts, host).map(({ address }) => address);
  if (listed.length > 0) return listed.filter(wanted);
  for (const server of nameServers) {
    const answers = await Promise.all(types.map((type) => query(server, { name: host, type })));
    const conclusive = answers.filter(({ failure }) => failure === undefined);
    if (conclusive.length > 0) return conclusive.flatMap(addressesOf);
  }
  throw lookupError("EAI_AGAIN", host);
}

function addressesOf({ addresses }: ServerAnswer): string[] {
  return addresses.map(({ address }) => address);
}

function lookupError(code: "ENOTFOUND" | "EAI_AGAIN", hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`lookup ${code} ${hostname}`), { code, syscall: "lookup", hostname });
}
