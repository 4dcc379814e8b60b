import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Cidr, formatCidr, formatIp, parseCidr } from "../../../src/endpoint/ip-address.ts";
import {
  discoverPrefixes,
  type EmbeddingLength,
  embeddedIpv4,
  embeddingLengths,
  embedIpv4,
  translatedIpv4,
} from "../../../src/endpoint/nat64.ts";

const prefixOf = (base: bigint, length: EmbeddingLength): Cidr & { prefix: EmbeddingLength } => {
  const shift = BigInt(128 - length);
  // Bits 64 to 71 have to be zero (RFC 6052, section 2.2).
  return { family: 6, base: ((base >> shift) << shift) & ~(0xffn << 56n), prefix: length };
};
const anyPrefix = fc
  .tuple(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), fc.constantFrom(...embeddingLengths))
  .map(([base, length]) => prefixOf(base, length));
const anyIpv4 = fc.bigInt({ min: 0n, max: 0xffffffffn });

describe("an IPv4 address inside an IPv6 address", () => {
  // The examples of RFC 6052, section 2.4, for 192.0.2.33.
  test.each([
    ["2001:db8::/32", "2001:db8:c000:221::"],
    ["2001:db8:100::/40", "2001:db8:1c0:2:21::"],
    ["2001:db8:122::/48", "2001:db8:122:c000:2:2100::"],
    ["2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"],
    ["2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100:0"],
    ["2001:db8:122:344::/96", "2001:db8:122:344::c000:221"],
  ])("behind %s is %s", (range, address) => {
    const prefix = parseCidr(range) as Cidr & { prefix: EmbeddingLength };
    expect(formatIp({ family: 6, value: embedIpv4(prefix, 0xc0000221n) })).toBe(
      formatIp({ family: 6, value: parseCidr(address)?.base ?? 0n }),
    );
  });

  test("comes out as it went in", () => {
    fc.assert(
      fc.property(anyPrefix, anyIpv4, (prefix, ipv4) => {
        const value = embedIpv4(prefix, ipv4);
        expect(embeddedIpv4(value, prefix.prefix)).toBe(ipv4);
        expect(translatedIpv4(value, [prefix])).toBe(ipv4);
      }),
    );
  });
});

describe("the NAT64 prefix of a network", () => {
  test("is found by the addresses of ipv4only.arpa", () => {
    fc.assert(
      fc.property(anyPrefix, (prefix) => {
        const addresses = [0xc00000aan, 0xc00000abn].map((ipv4) =>
          formatIp({ family: 6, value: embedIpv4(prefix, ipv4) }),
        );
        expect(discoverPrefixes(addresses).map(formatCidr)).toContain(formatCidr(prefix));
      }),
    );
  });

  test("is not found in other addresses", () => {
    expect(discoverPrefixes(["2001:db8::1", "192.0.0.170", "nonsense"])).toEqual([]);
    expect(discoverPrefixes([])).toEqual([]);
  });
});
