import type { Clock } from "../clock.ts";
import { type NetworkView, readHosts } from "./evidence-sources.ts";
import { nameServerLookup } from "./name-server-lookup.ts";
import type { AddressLookup } from "./tls-dialer.ts";

/**
 * How names are looked up for dialling: where the evidence about them comes from. The hosts file is read anew for each.
 * Undefined when no name servers are named, so that the system's resolver does it.
 */
export async function configuredLookup(
  { nameServers, hostsFile }: Pick<NetworkView, "nameServers" | "hostsFile">,
  clock: Clock,
): Promise<AddressLookup | undefined> {
  if (nameServers === undefined) return undefined;
  const { createDnsQuery } = await import("./dns-query.ts");
  const query = createDnsQuery({ clock });
  return async (host, options) =>
    nameServerLookup({ nameServers, query, hosts: await readHosts(hostsFile) })(host, options);
}
