import { isIPv6 } from "node:net";
import { type Ipv4Range, inIpv4Range, parseIpv4Range } from "./ipv4.ts";

const rangesOf = (...texts: readonly string[]): readonly Ipv4Range[] =>
  texts.flatMap((text) => parseIpv4Range(text) ?? []);

/** RFC 1918. */
const privateRanges = rangesOf("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16");

/** What no service on the internet can have: this host, links, carriers, documentation, benchmarks, multicast, the future. */
const otherSpecialRanges = rangesOf(
  "0.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
);

/** Whether an address is RFC 1918 or unique local IPv6. */
export function isPrivateAddress(address: string): boolean {
  if (isIPv6(address)) return /^f[cd]/i.test(address);
  return privateRanges.some((range) => inIpv4Range(address, range));
}

/** Whether an IPv4 address is routed on the internet. */
export function isPublicAddress(address: string): boolean {
  if (isIPv6(address) || isPrivateAddress(address)) return false;
  return parseIpv4Range(address) !== undefined && !otherSpecialRanges.some((range) => inIpv4Range(address, range));
}

/** An address in its one canonical text; the host of a URL is the platform's canonical text of IPv6. */
export function canonicalAddress(address: string): string {
  return isIPv6(address) ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : address;
}
