import { type Cidr, formatIp, type IpAddress, inCidr, parseCidr, parseIp } from "./ip-address.ts";
import { embeddedIpv4, embeddingLengths, translatedIpv4 } from "./nat64.ts";

/**
 * What an address says about the path that leads to it.
 *
 * - `private`: RFC 1918, unique local IPv6, or a range that the owner listed in `private_cidrs`
 * - `cgnat`: 100.64.0.0/10, shared by carriers, overlay networks and fake-IP proxies
 * - `public`: routed on the internet
 * - `reserved`: nothing that a service could have (documentation, benchmarking, multicast, unallocated)
 * - `local`: this machine, this link, or the metadata service of a cloud; never dialled for an Azure name
 */
export type AddressClass = "private" | "cgnat" | "public" | "reserved" | "local";

/** An address with its class. */
export interface ClassifiedAddress {
  /** The address to dial, in canonical text; an IPv4-mapped IPv6 address is dialled as IPv4. */
  readonly address: string;
  /** Family of the address as it was answered: 6 for an IPv4-mapped one. */
  readonly family: 4 | 6;
  readonly class: AddressClass;
  /** Name of the range that decided. */
  readonly range: string;
  /** 198.18.0.0/15: handed out by proxies that catch traffic by address ("fake IP"). */
  readonly fakeIp: boolean;
  /** The IPv4 address that an IPv6 address stands for (IPv4-mapped, NAT64). */
  readonly ipv4?: string;
}

/** What a classification may know beside the address. */
export interface ClassifyContext {
  /** Ranges that the owner declares private. */
  readonly privateCidrs?: readonly Cidr[];
  /** NAT64 prefixes in use here beside the well-known `64:ff9b::/96`. */
  readonly nat64Prefixes?: readonly Cidr[];
}

interface Range {
  readonly cidr: Cidr;
  readonly class: AddressClass;
  readonly name: string;
}

const range = (text: string, addressClass: AddressClass, name: string): Range => {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new TypeError(`${text} is not a range`);
  return { cidr, class: addressClass, name };
};

const fakeIpRange = range("198.18.0.0/15", "reserved", "benchmarking, fake-IP proxies");

/** First match wins. Sources: the IANA special-purpose registries, and what the cloud vendors document of their metadata services. */
const ranges: readonly Range[] = [
  range("169.254.169.254/32", "local", "cloud metadata service"),
  range("168.63.129.16/32", "local", "cloud platform service"),
  range("100.100.100.200/32", "local", "cloud metadata service"),
  range("192.0.0.192/32", "local", "cloud metadata service"),
  range("fd00:ec2::254/128", "local", "cloud metadata service"),
  range("fd20:ce::254/128", "local", "cloud metadata service"),
  range("0.0.0.0/8", "local", "this network"),
  range("127.0.0.0/8", "local", "loopback"),
  range("169.254.0.0/16", "local", "link-local"),
  range("10.0.0.0/8", "private", "RFC 1918"),
  range("172.16.0.0/12", "private", "RFC 1918"),
  range("192.168.0.0/16", "private", "RFC 1918"),
  range("100.64.0.0/10", "cgnat", "shared address space"),
  range("192.0.0.0/24", "reserved", "protocol assignments"),
  range("192.0.2.0/24", "reserved", "documentation"),
  range("198.51.100.0/24", "reserved", "documentation"),
  range("203.0.113.0/24", "reserved", "documentation"),
  range("192.88.99.0/24", "reserved", "6to4 relay"),
  fakeIpRange,
  range("224.0.0.0/4", "reserved", "multicast"),
  range("240.0.0.0/4", "reserved", "reserved for future use"),
  range("0.0.0.0/0", "public", "internet"),
  range("::/128", "local", "unspecified"),
  range("::1/128", "local", "loopback"),
  range("fe80::/10", "local", "link-local"),
  range("fec0::/10", "local", "site-local"),
  range("fc00::/7", "private", "unique local"),
  range("2001:db8::/32", "reserved", "documentation"),
  range("3fff::/20", "reserved", "documentation"),
  range("2001::/23", "reserved", "protocol assignments, Teredo"),
  range("2002::/16", "reserved", "6to4"),
  range("ff00::/8", "reserved", "multicast"),
  range("2000::/3", "public", "internet"),
  range("::/0", "reserved", "not allocated"),
];

/**
 * The ranges that can never be declared private: loopback, link-local, multicast, and the wrappings of IPv4 in IPv6. The single
 * addresses of metadata services are not listed: a range around one is fine, the address itself stays `local`.
 */
export const neverPrivate: readonly Cidr[] = [
  ...ranges
    .filter((each) => (each.class === "local" && !each.name.startsWith("cloud")) || each.name === "multicast")
    .map(({ cidr }) => cidr),
  ...["::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96"].map((text) => range(text, "reserved", "").cidr),
];

const mapped = range("::ffff:0:0/96", "reserved", "IPv4-mapped").cidr;
const wellKnownNat64 = range("64:ff9b::/96", "reserved", "NAT64").cidr;
const localNat64 = range("64:ff9b:1::/48", "reserved", "NAT64").cidr;

/** Least trusted last: where two views of one address differ, the later class holds. */
const trust: readonly AddressClass[] = ["private", "cgnat", "public", "reserved", "local"];

/** Classifies an address in any textual form; undefined when `text` is no address. */
export function classifyAddress(text: string, context: ClassifyContext = {}): ClassifiedAddress | undefined {
  const ip = parseIp(text);
  if (ip === undefined) return undefined;
  if (ip.family === 4) return { ...plainClass(ip, context), address: formatIp(ip), family: 4 };
  if (inCidr(ip, mapped)) return asEmbedded(ip, ip.value & 0xffffffffn, context, "dial-ipv4");
  const ipv4 = inCidr(ip, wellKnownNat64)
    ? ip.value & 0xffffffffn
    : translatedIpv4(ip.value, context.nat64Prefixes ?? []);
  if (ipv4 !== undefined) return asEmbedded(ip, ipv4, context, "dial-ipv6");
  return { ...plainClass(ip, context), address: formatIp(ip), family: 6 };
}

/** The class of an IPv6 address that stands for an IPv4 address. */
function asEmbedded(
  ip: IpAddress,
  value: bigint,
  context: ClassifyContext,
  dial: "dial-ipv4" | "dial-ipv6",
): ClassifiedAddress {
  const inner: IpAddress = { family: 4, value };
  const ipv4 = formatIp(inner);
  const inside = plainClass(inner, context);
  // The wrapping of IPv4-mapped and of the NAT64 prefixes of RFC 6052 and 8215 is never routed on the internet. Any other prefix
  // was learnt from unauthenticated DNS: it may make an address less trusted than it looks, never more.
  const neutral = [mapped, wellKnownNat64, localNat64].some((wrapping) => inCidr(ip, wrapping));
  const outside = neutral ? inside : plainClass(ip, context);
  const lower = trust.indexOf(outside.class) > trust.indexOf(inside.class) ? outside : inside;
  return { ...lower, address: dial === "dial-ipv4" ? ipv4 : formatIp(ip), family: 6, ipv4 };
}

function plainClass(ip: IpAddress, context: ClassifyContext): Pick<ClassifiedAddress, "class" | "range" | "fakeIp"> {
  const found = ranges.find(({ cidr }) => inCidr(ip, cidr)) as Range;
  const fakeIp = found === fakeIpRange;
  if (found.class === "local") return { class: "local", range: found.name, fakeIp };
  if (context.privateCidrs?.some((cidr) => inCidr(ip, cidr))) {
    return { class: "private", range: "private_cidrs", fakeIp: false };
  }
  if (found.name === "unique local" && hidesPublicIpv4(ip)) {
    return { class: "public", range: "unique local that embeds a public IPv4 address", fakeIp };
  }
  return { class: found.class, range: found.name, fakeIp };
}

/** A NAT64 gateway may use a unique local prefix of its own; what lies behind such an address is the public IPv4 internet. */
function hidesPublicIpv4({ value }: IpAddress): boolean {
  return embeddingLengths.some((length) => {
    const ipv4 = embeddedIpv4(value, length);
    return ipv4 !== undefined && plainClass({ family: 4, value: ipv4 }, {}).class === "public";
  });
}
