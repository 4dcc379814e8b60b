import { embedIpv4, type Nat64Prefix } from "../dns/dns64.ts";
import { canonicalAddress } from "../resources/address-space.ts";
import type { Estate } from "../resources/estate.ts";

/** An address and port that a client may dial. */
export interface Destination {
  readonly address: string;
  readonly port: number;
  /** The IPv4 address that packets end up at; another one than `address` behind NAT64 only. */
  readonly leadsTo: string;
}

/** The ports that a client tries at an address of which nobody knows what it is. */
const usualPorts = [443, 8883, 5671] as const;

/**
 * Every address and port that some answer in the world leads to: the resources' and the global endpoint's, those of private
 * endpoints (deleted ones too), whatever records and hosts files name beside, and all public ones once more behind each NAT64
 * prefix.
 */
export function destinationsOf(
  estate: Estate,
  otherAddresses: readonly string[],
  prefixes: readonly Nat64Prefix[],
): readonly Destination[] {
  const found = new Map<string, Destination>();
  const add = (address: string, ports: readonly number[], leadsTo = address): void => {
    for (const port of ports) {
      const key = `${address} ${port}`;
      if (!found.has(key)) found.set(key, { address, port, leadsTo });
    }
  };
  const known = [...estate.hosts.map(({ host }) => host), ...estate.globalHosts];
  for (const { publicAddress, ports } of known) {
    add(publicAddress, ports);
    for (const prefix of prefixes) add(embedIpv4(prefix, publicAddress), ports, publicAddress);
  }
  for (const endpoint of estate.endpoints) {
    for (const { role, ports } of endpoint.resource.hosts) add(endpoint.addressOf(role), ports);
  }
  const recorded = estate.zones.flatMap(({ addresses }) => addresses);
  const neighbours = estate.networks.flatMap((network) => [...network.neighbours.keys()]);
  const named = new Set([...found.values()].map(({ address }) => address));
  for (const text of [...recorded, ...neighbours, ...otherAddresses]) {
    const address = canonicalAddress(text);
    if (!named.has(address)) add(address, usualPorts);
  }
  return [...found.values()];
}
