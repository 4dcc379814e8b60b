import type { DnsQuery } from "./dns-query.ts";
import { normaliseHost } from "./host-name.ts";
import { type HostsEntry, hostsEntriesFor } from "./hosts-file.ts";
import type { NameServer } from "./name-server.ts";
import type { AddressLookup } from "./tls-dialer.ts";

/** What a look-up by name servers is made from. */
export interface NameServerLookupSources {
  readonly nameServers: readonly NameServer[];
  readonly query: DnsQuery;
  /** The hosts file that is in force; empty when there is none. */
  readonly hosts: readonly HostsEntry[];
}

/**
 * An {@link AddressLookup} that asks explicit name servers instead of the system, so that a name is dialled where the evidence
 * says. The hosts file comes first, then the name servers in their order: the first conclusive answer counts. Rejects with the
 * system error `ENOTFOUND` when the name has no address, and `EAI_AGAIN` when no name server gave a conclusive answer.
 */
export function nameServerLookup({ nameServers, query, hosts }: NameServerLookupSources): AddressLookup {
  return async (host, { signal }) => {
    const listed = hostsEntriesFor(hosts, host).map(({ address }) => address);
    if (listed.length > 0) return listed;
    const name = normaliseHost(host);
    for (const server of nameServers) {
      const answers = await Promise.all([
        query(server, { name, type: "A" }, { signal }),
        query(server, { name, type: "AAAA" }, { signal }),
      ]);
      const conclusive = answers.filter(({ failure }) => failure === undefined);
      const addresses = conclusive.flatMap((answer) => answer.addresses.map(({ address }) => address));
      if (addresses.length > 0) return addresses;
      if (conclusive.length > 0) throw lookupError("ENOTFOUND", host);
    }
    throw lookupError("EAI_AGAIN", host);
  };
}

function lookupError(code: "ENOTFOUND" | "EAI_AGAIN", hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`lookup ${code} ${hostname}`), { code, syscall: "lookup", hostname });
}
