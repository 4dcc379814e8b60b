import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AddressClass, classifyAddress } from "../../../src/endpoint/address-class.ts";
import { type Cidr, formatIp, parseCidr } from "../../../src/endpoint/ip-address.ts";
import { type EmbeddingLength, embeddingLengths, embedIpv4 } from "../../../src/endpoint/nat64.ts";

const range = (text: string): Cidr => {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new Error(`${text} is no range`);
  return cidr;
};
const classOf = (text: string, context = {}): AddressClass | undefined => classifyAddress(text, context)?.class;
const anyIpv4 = fc.oneof(
  fc.ipV4(),
  fc.constantFrom("10.20.0.5", "172.16.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "20.42.0.10", "198.18.0.1"),
);

describe("the class of an address", () => {
  test.each<[AddressClass, string[]]>([
    [
      "private",
      ["10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.1", "fd12:3456::1", "fc00::5"],
    ],
    ["cgnat", ["100.64.0.0", "100.127.255.255"]],
    [
      "local",
      [
        "127.0.0.1",
        "127.255.255.255",
        "0.0.0.0",
        "0.1.2.3",
        "169.254.1.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
      ],
    ],
    ["local", ["169.254.169.254", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"]],
    [
      "reserved",
      ["192.0.0.170", "192.0.2.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "192.88.99.1"],
    ],
    ["reserved", ["224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "2001:db8::1", "3fff::1", "ff02::1"]],
    [
      "reserved",
      ["100::1", "2001::1", "2002:a14:5::1", "4000::1", "::10.0.0.1", "::ffff:0:10.0.0.1", "64:ff9b:1::1", "5f00::1"],
    ],
    [
      "public",
      ["9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "20.42.0.10", "8.8.8.8"],
    ],
    [
      "public",
      ["100.63.255.255", "100.128.0.0", "198.17.255.255", "198.20.0.0", "168.63.129.15", "2603:1030::5", "2a00::1"],
    ],
  ])("%s: %j", (expected, addresses) => {
    for (const address of addresses) expect([address, classOf(address)]).toEqual([address, expected]);
  });

  test("is none for text that is no address", () => {
    for (const text of ["", "10.0.0", "0x0a.0.0.1", "010.0.0.1", "contoso.net"]) expect(classOf(text)).toBeUndefined();
  });

  test("of a fake address is marked as such", () => {
    expect(classifyAddress("198.18.0.7")).toMatchObject({ class: "reserved", fakeIp: true });
    expect(classifyAddress("192.0.2.7")).toMatchObject({ class: "reserved", fakeIp: false });
  });
});

describe("an IPv4 address in IPv6 clothes", () => {
  test("has the class of the IPv4 address, whatever the spelling", () => {
    fc.assert(
      fc.property(anyIpv4, (ipv4) => {
        const value = range(ipv4).base;
        const hex = `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
        const plain = classOf(ipv4);
        for (const form of [`::ffff:${ipv4}`, `::FFFF:${hex}`, `0:0:0:0:0:ffff:${hex}`]) {
          expect(classifyAddress(form)).toMatchObject({
            class: plain,
            address: formatIp({ family: 4, value }),
            family: 6,
          });
        }
        for (const form of [`64:ff9b::${ipv4}`, `64:FF9B:0:0:0:0:${hex}`]) {
          expect(classifyAddress(form)).toMatchObject({
            class: plain,
            ipv4: formatIp({ family: 4, value }),
            family: 6,
          });
        }
      }),
    );
  });

  test("behind a unique local prefix is public when the IPv4 address is, though nobody announced the prefix", () => {
    const publicIpv4 = anyIpv4.filter((ipv4) => classOf(ipv4) === "public");
    const uniqueLocal = fc.bigInt({ min: 0n, max: (1n << 56n) - 1n }).map((low) => (0xfdn << 120n) | (low << 64n));
    fc.assert(
      fc.property(uniqueLocal, fc.constantFrom(...embeddingLengths), publicIpv4, (base, length, ipv4) => {
        const shift = BigInt(128 - length);
        const prefix: Cidr & { prefix: EmbeddingLength } = {
          family: 6,
          base: (base >> shift) << shift,
          prefix: length,
        };
        const text = formatIp({ family: 6, value: embedIpv4(prefix, range(ipv4).base) });
        const found = classOf(text);
        // The metadata addresses of other clouds are in this space too, and worse than public.
        expect(found === "public" || found === "local").toBe(true);
      }),
    );
  });

  test("behind a discovered prefix is never more trusted than the prefix or the IPv4 address", () => {
    const prefixes = ["2600:1234::/96", "fd00:64::/96", "2600:5:6::/48", "fd99:1::/64"].map(range);
    const trust: AddressClass[] = ["private", "cgnat", "public", "reserved", "local"];
    fc.assert(
      fc.property(fc.constantFrom(...prefixes), anyIpv4, (prefix, ipv4) => {
        const value = embedIpv4(prefix as Cidr & { prefix: EmbeddingLength }, range(ipv4).base);
        const found = classOf(formatIp({ family: 6, value }), { nat64Prefixes: [prefix] }) ?? "private";
        const inside = classOf(ipv4) ?? "private";
        expect(trust.indexOf(found)).toBeGreaterThanOrEqual(trust.indexOf(inside));
        if (formatIp({ family: 6, value }).startsWith("26")) expect(found).not.toBe("private");
      }),
    );
  });

  test("behind a discovered unique local prefix is private when the IPv4 address is", () => {
    const context = { nat64Prefixes: [range("fd00:64::/96")] };
    expect(classifyAddress("fd00:64::10.20.0.5", context)).toMatchObject({ class: "private", ipv4: "10.20.0.5" });
    expect(classOf("fd00:64::127.0.0.1", context)).toBe("local");
  });
});

describe("private_cidrs", () => {
  const context = { privateCidrs: ["20.42.0.0/16", "2603:1030:1::/48", "168.63.0.0/16", "100.64.0.0/10"].map(range) };

  test("make public and shared addresses private, in every clothing", () => {
    const listed = ["20.42.0.10", "::ffff:20.42.0.10", "64:ff9b::20.42.0.10", "2603:1030:1::5", "100.64.0.1"];
    for (const address of listed) expect([address, classOf(address, context)]).toEqual([address, "private"]);
    for (const address of ["20.43.0.10", "2603:1030:2::5"]) expect(classOf(address, context)).toBe("public");
  });

  test("never make local or metadata addresses private", () => {
    expect(classOf("168.63.129.16", context)).toBe("local");
    expect(classOf("168.63.129.17", context)).toBe("private");
    expect(classOf("127.0.0.1", { privateCidrs: [range("127.0.0.0/8")] })).toBe("local");
  });
});
