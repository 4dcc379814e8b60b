import { type Cidr, inCidr, parseIp } from "./ip-address.ts";

/** The prefix lengths at which an IPv4 address can be embedded in an IPv6 address (RFC 6052, section 2.2). */
export const embeddingLengths = [32, 40, 48, 56, 64, 96] as const;

/** One of {@link embeddingLengths}. */
export type EmbeddingLength = (typeof embeddingLengths)[number];

/** The name whose IPv6 addresses betray a NAT64 prefix: it has IPv4 addresses only (RFC 7050). */
export const discoveryHost = "ipv4only.arpa";

/** The well-known addresses of {@link discoveryHost}: 192.0.0.170 and 192.0.0.171. */
const discoveryAddresses: readonly bigint[] = [0xc00000aan, 0xc00000abn];

/**
 * The IPv4 address that `value` would carry behind a prefix of `length` bits, or undefined when the form does not allow it:
 * bits 64 to 71 must be zero, and so must everything behind the address (RFC 6052, section 2.2).
 */
export function embeddedIpv4(value: bigint, length: EmbeddingLength): bigint | undefined {
  const bits = (from: number, count: number): bigint =>
    (value >> BigInt(128 - from - count)) & ((1n << BigInt(count)) - 1n);
  if (bits(64, 8) !== 0n) return undefined;
  if (length === 96) return bits(96, 32);
  const before = 64 - length;
  const behind = 32 - before;
  if (bits(72 + behind, 56 - behind) !== 0n) return undefined;
  return (bits(length, before) << BigInt(behind)) | bits(72, behind);
}

/** The IPv6 address, as a number, that carries `ipv4` behind `prefix`; the inverse of {@link embeddedIpv4}. */
export function embedIpv4(prefix: Cidr & { readonly prefix: EmbeddingLength }, ipv4: bigint): bigint {
  if (prefix.prefix === 96) return prefix.base | ipv4;
  const before = 64 - prefix.prefix;
  const behind = 32 - before;
  const high = ipv4 >> BigInt(behind);
  const low = ipv4 & ((1n << BigInt(behind)) - 1n);
  return prefix.base | (high << 64n) | (low << BigInt(56 - behind));
}

/** The NAT64 prefixes that the IPv6 addresses of {@link discoveryHost} betray. */
export function discoverPrefixes(addresses: readonly string[]): Cidr[] {
  const prefixes: Cidr[] = [];
  for (const text of addresses) {
    const ip = parseIp(text);
    if (ip?.family !== 6) continue;
    for (const length of embeddingLengths) {
      const ipv4 = embeddedIpv4(ip.value, length);
      if (ipv4 === undefined || !discoveryAddresses.includes(ipv4)) continue;
      const shift = BigInt(128 - length);
      const prefix: Cidr = { family: 6, base: (ip.value >> shift) << shift, prefix: length };
      if (!prefixes.some((known) => known.prefix === length && known.base === prefix.base)) prefixes.push(prefix);
    }
  }
  return prefixes;
}

/** The IPv4 address inside `value` when one of `prefixes` covers it. */
export function translatedIpv4(value: bigint, prefixes: readonly Cidr[]): bigint | undefined {
  for (const prefix of prefixes) {
    if (!inCidr({ family: 6, value }, prefix)) continue;
    const ipv4 = embeddedIpv4(value, prefix.prefix as EmbeddingLength);
    if (ipv4 !== undefined) return ipv4;
  }
  return undefined;
}
