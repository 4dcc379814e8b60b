import type { ResourceHost } from "../resources/resource.ts";
import { DnsZone } from "./zone.ts";

/** A name that belongs to no one resource, such as the global device endpoint. */
export interface SharedHost {
  readonly name: string;
  readonly tail: readonly string[];
  readonly publicAddress: string;
  readonly ports: readonly number[];
}

/** A resource's name, and whether the internet shows that private endpoints exist for it. */
export interface PublishedHost extends Pick<ResourceHost, "name" | "privatelinkName" | "tail" | "publicAddress"> {
  readonly hasPrivateEndpoint: boolean;
}

/** The one name that exists with IPv4 addresses only, so that hosts can find their NAT64 prefix (RFC 7050). */
const ipv4OnlyName = "ipv4only.arpa";

/**
 * What the internet's name servers answer: every name is an alias of its privatelink name once a private endpoint exists, and
 * that leads on to names of the region; the last one owns the public address.
 */
export function internetZones(hosts: readonly PublishedHost[], shared: readonly SharedHost[]): readonly DnsZone[] {
  const zones = new Map<string, DnsZone>([["", new DnsZone("", "a.root-servers.net", 60)]]);
  const zoneOf = (name: string): DnsZone => {
    const suffix = name.split(".").slice(-2).join(".");
    const zone = zones.get(suffix) ?? new DnsZone(suffix, `ns1-06.azure-dns.${suffix.split(".").at(-1)}`, 60);
    zones.set(suffix, zone);
    return zone;
  };
  const publish = (chain: readonly string[], address: string): void => {
    chain.forEach((name, at) => {
      const next = chain[at + 1];
      zoneOf(name).set(name, next === undefined ? { a: [address] } : { cname: next });
    });
  };
  for (const { name, privatelinkName, tail, publicAddress, hasPrivateEndpoint } of hosts) {
    publish([name, ...(hasPrivateEndpoint ? [privatelinkName] : []), ...tail], publicAddress);
  }
  for (const { name, tail, publicAddress } of shared) publish([name, ...tail], publicAddress);
  zoneOf(ipv4OnlyName).set(ipv4OnlyName, { a: ["192.0.0.170", "192.0.0.171"] });
  return [...zones.values()];
}
