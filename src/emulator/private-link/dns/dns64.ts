import { isIPv6 } from "node:net";
import { canonicalAddress } from "../resources/address-space.ts";
import { ipv4Number } from "../resources/ipv4.ts";
import { rejected } from "../resources/rejected.ts";

/** A NAT64 prefix: the addresses that a DNS64 server makes up begin with it. */
export interface Nat64Prefix {
  /** 16 bytes; those behind the prefix are zero. */
  readonly bytes: readonly number[];
  readonly length: 32 | 40 | 48 | 56 | 64 | 96;
}

const lengths = [32, 40, 48, 56, 64, 96] as const;

/** Reads a prefix such as `64:ff9b::/96`. Throws `emulator.rejected` for anything that RFC 6052 does not allow. */
export function parseNat64Prefix(text: string): Nat64Prefix {
  const [address = "", digits] = text.split("/");
  const length = lengths.find((each) => String(each) === digits);
  const bytes = isIPv6(address) && !address.includes("%") ? ipv6Bytes(address) : undefined;
  if (length === undefined || bytes === undefined || bytes.slice(length / 8).some((byte) => byte !== 0)) {
    throw rejected(`expected an IPv6 prefix of 32, 40, 48, 56, 64 or 96 bits, got "${text}"`);
  }
  return { bytes, length };
}

/** The IPv6 address, in canonical text, that stands for an IPv4 address; bits 64 to 71 stay zero (RFC 6052, section 2.2). */
export function embedIpv4({ bytes, length }: Nat64Prefix, ipv4: string): string {
  const value = ipv4Number(ipv4) ?? 0;
  const embedded = [...bytes];
  let at = length / 8;
  for (const shift of [24, 16, 8, 0]) {
    if (at === 8) at += 1;
    embedded[at] = Math.floor(value / 2 ** shift) % 256;
    at += 1;
  }
  return ipv6Text(embedded);
}

function ipv6Bytes(text: string): number[] {
  const groupsOf = (part: string): number[] =>
    part.split(":").flatMap((group) => {
      const ipv4 = ipv4Number(group);
      if (ipv4 !== undefined) return [Math.floor(ipv4 / 0x10000), ipv4 % 0x10000];
      return group === "" ? [] : [Number.parseInt(group, 16)];
    });
  const [head = "", tail] = text.split("::");
  const left = groupsOf(head);
  const right = tail === undefined ? [] : groupsOf(tail);
  const groups = [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
  return groups.flatMap((group) => [group >> 8, group & 0xff]);
}

function ipv6Text(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, at) => ((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0));
  return canonicalAddress(groups.map((group) => group.toString(16)).join(":"));
}
