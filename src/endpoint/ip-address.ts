import { isIP } from "node:net";

/** An IP address as a number. */
export interface IpAddress {
  readonly family: 4 | 6;
  /** 32 or 128 bits. */
  readonly value: bigint;
  /** The interface of a link-local address, as in `fe80::1%eth0`. */
  readonly zone?: string;
}

/** A range of addresses. */
export interface Cidr {
  readonly family: 4 | 6;
  /** The lowest address; the bits behind the prefix are zero. */
  readonly base: bigint;
  /** 0 to 32, or 0 to 128. */
  readonly prefix: number;
}

const bitsOf = { 4: 32, 6: 128 } as const;

/**
 * Reads an address in any of its textual forms: dotted IPv4, compressed or full IPv6 in either case, IPv6 with a dotted tail,
 * with an interface. The numeric short forms ("127.1") are no addresses here. Returns undefined when it is none.
 */
export function parseIp(text: string): IpAddress | undefined {
  const family = isIP(text);
  if (family === 4) return { family: 4, value: ipv4Value(text) };
  if (family !== 6) return undefined;
  const [address = "", zone] = text.split("%");
  return { family: 6, value: ipv6Value(address), ...(zone === undefined ? {} : { zone }) };
}

function ipv4Value(text: string): bigint {
  return text.split(".").reduce((value, octet) => (value << 8n) | BigInt(octet), 0n);
}

function ipv6Value(text: string): bigint {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (dotted) {
    const tail = ipv4Value(dotted[2] ?? "");
    return ipv6Value(`${dotted[1]}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`);
  }
  const [head = "", tail] = text.split("::");
  const groupsOf = (part: string): string[] => (part === "" ? [] : part.split(":"));
  const left = groupsOf(head);
  const right = tail === undefined ? [] : groupsOf(tail);
  const zeros = Array<string>(8 - left.length - right.length).fill("0");
  return [...left, ...zeros, ...right].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

/** The one canonical text of an address: dotted IPv4, or IPv6 as RFC 5952 writes it. */
export function formatIp({ family, value, zone }: IpAddress): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".");
  const groups = Array.from({ length: 8 }, (_, at) => (value >> BigInt(112 - 16 * at)) & 0xffffn);
  const run = longestZeroRun(groups);
  const text = (from: number, to?: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(":");
  const address = run.length < 2 ? text(0) : `${text(0, run.start)}::${text(run.start + run.length)}`;
  return zone === undefined ? address : `${address}%${zone}`;
}

function longestZeroRun(groups: readonly bigint[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  groups.forEach((group, at) => {
    length = group === 0n ? length + 1 : 0;
    if (length > best.length) best = { start: at - length + 1, length };
  });
  return best;
}

/** Reads `address/prefix`; an address alone is a range of one. Returns undefined when it is neither, or when bits behind the prefix are set. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = "", length, ...rest] = text.split("/");
  const ip = parseIp(address);
  if (ip === undefined || ip.zone !== undefined || rest.length > 0) return undefined;
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return undefined;
  const prefix = length === undefined ? bitsOf[ip.family] : Number(length);
  if (prefix > bitsOf[ip.family]) return undefined;
  const cidr = { family: ip.family, base: ip.value, prefix };
  return networkOf(cidr, ip.value) === ip.value ? cidr : undefined;
}

/** The text of a range, `base/prefix`. */
export function formatCidr({ family, base, prefix }: Cidr): string {
  return `${formatIp({ family, value: base })}/${prefix}`;
}

/** Whether `ip` lies in `range`. An IPv4 address never lies in an IPv6 range, whatever it is wrapped in. */
export function inCidr(ip: IpAddress, range: Cidr): boolean {
  return ip.family === range.family && ip.value >= range.base && networkOf(range, ip.value) === range.base;
}

/** Whether two ranges share an address. */
export function overlap(a: Cidr, b: Cidr): boolean {
  if (a.family !== b.family) return false;
  const wider = a.prefix <= b.prefix ? a : b;
  return networkOf(wider, (wider === a ? b : a).base) === wider.base;
}

/** How many addresses a range has. */
export function sizeOf({ family, prefix }: Cidr): bigint {
  return 1n << BigInt(bitsOf[family] - prefix);
}

function networkOf({ family, prefix }: Pick<Cidr, "family" | "prefix">, value: bigint): bigint {
  const shift = BigInt(bitsOf[family] - prefix);
  return (value >> shift) << shift;
}
