import { classifyAddress, neverPrivate } from "./address-class.ts";
import { type Cidr, formatCidr, overlap, parseCidr, sizeOf } from "./ip-address.ts";

/** Shortest IPv4 prefix outside the private ranges: 65 536 addresses. */
const shortestIpv4 = 16;
/** Shortest IPv6 prefix outside unique local space: what one site gets. */
const shortestIpv6 = 48;
/** IPv4 addresses outside the private ranges that all entries may cover together: a /12. */
const mostPublicIpv4 = 1n << 20n;

/** What came of reading `private_cidrs`. */
export interface PrivateCidrs {
  readonly cidrs: readonly Cidr[];
  /** One sentence for each entry that cannot be used; the caller names the setting. */
  readonly faults: readonly string[];
}

/**
 * Reads `private_cidrs`: the ranges outside RFC 1918 that the owner's virtual network uses. A range that covers a large part of
 * the internet would vouch for the public endpoint too, so it is a fault, as is one that holds loopback, link-local, metadata or
 * multicast addresses.
 */
export function parsePrivateCidrs(texts: readonly string[]): PrivateCidrs {
  const cidrs: Cidr[] = [];
  const faults: string[] = [];
  for (const text of texts) {
    const cidr = parseCidr(text);
    const fault = cidr === undefined ? unreadable(text) : faultOf(cidr);
    if (fault !== undefined) faults.push(fault);
    else if (cidr !== undefined) cidrs.push(cidr);
  }
  const together = cidrs
    .filter((cidr) => cidr.family === 4 && !isOffInternet(cidr))
    .reduce((n, c) => n + sizeOf(c), 0n);
  if (together > mostPublicIpv4) {
    faults.push(`expected at most ${mostPublicIpv4} public IPv4 addresses in all entries together, got ${together}`);
  }
  return { cidrs: faults.length === 0 ? cidrs : [], faults };
}

function unreadable(text: string): string {
  const [address = "", length] = text.split("/");
  const host = classifyAddress(address);
  if (host === undefined || length === undefined || !/^\d{1,3}$/.test(length)) {
    return `expected a range such as 10.20.0.0/16, got "${text}"`;
  }
  return `expected the first address of the range before /${length}, got "${text}"`;
}

function faultOf(cidr: Cidr): string | undefined {
  const text = formatCidr(cidr);
  const never = neverPrivate.find((each) => overlap(each, cidr));
  if (never !== undefined) {
    return `${text} takes in ${formatCidr(never)}, where no private endpoint can be`;
  }
  const shortest = cidr.family === 4 ? shortestIpv4 : shortestIpv6;
  if (isOffInternet(cidr) || cidr.prefix >= shortest) return undefined;
  return `${text} covers too much of the internet: expected /${shortest} or longer, the subnet of the private endpoints is enough`;
}

/** The ranges that are never routed on the internet, so that any part of them may be listed. */
const offInternet = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"].flatMap(
  (text) => parseCidr(text) ?? [],
);

function isOffInternet(cidr: Cidr): boolean {
  return offInternet.some((space) => space.prefix <= cidr.prefix && overlap(space, cidr));
}
