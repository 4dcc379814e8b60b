import { isIPv4 } from "node:net";

/** A range of IPv4 addresses, such as 10.20.0.0/16. */
export interface Ipv4Range {
  /** The lowest address, as a number. */
  readonly base: number;
  /** 0 to 32. */
  readonly prefix: number;
}

/** An address as a number from 0 to 2^32 - 1; undefined when `text` is no IPv4 address. */
export function ipv4Number(text: string): number | undefined {
  if (!isIPv4(text)) return undefined;
  return text.split(".").reduce((value, octet) => value * 256 + Number(octet), 0);
}

/** The dotted text of an address. */
export function ipv4Text(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/** Reads `10.20.0.0/16`, or one address alone. Undefined when it is neither, or when bits behind the prefix are set. */
export function parseIpv4Range(text: string): Ipv4Range | undefined {
  const [address = "", length = "32", ...rest] = text.split("/");
  const base = ipv4Number(address);
  const prefix = Number(length);
  if (base === undefined || rest.length > 0 || !/^\d{1,2}$/.test(length) || prefix > 32) return undefined;
  return base % sizeOfRange({ base, prefix }) === 0 ? { base, prefix } : undefined;
}

/** How many addresses a range has. */
export function sizeOfRange({ prefix }: Ipv4Range): number {
  return 2 ** (32 - prefix);
}

/** Whether an IPv4 address lies in a range; false for everything that is no IPv4 address. */
export function inIpv4Range(address: string, range: Ipv4Range): boolean {
  const value = ipv4Number(address);
  return value !== undefined && value >= range.base && value < range.base + sizeOfRange(range);
}
