import { BlockList, isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatCidr, formatIp, inCidr, overlap, parseCidr, parseIp, sizeOf } from "../../../src/endpoint/ip-address.ts";

const ipv6Value = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n });
/** Values with runs of zeros, where the compressed form has its corners. */
const sparseIpv6 = fc
  .array(fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 0xffffn })), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.reduce((value, group) => (value << 16n) | group, 0n));

describe("an IPv6 address", () => {
  test.each([
    ["::", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["2001:DB8::0001", "2001:db8::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["1:0:2:0:3:0:4:0", "1:0:2:0:3:0:4:0"],
    ["::ffff:10.0.0.1", "::ffff:a00:1"],
    ["64:ff9b::10.20.0.5", "64:ff9b::a14:5"],
    ["fe80::1%eth0", "fe80::1%eth0"],
  ])("%s is written %s", (text, canonical) => {
    const ip = parseIp(text);
    expect(ip && formatIp(ip)).toBe(canonical);
  });

  test("is the same in every textual form", () => {
    fc.assert(
      fc.property(fc.oneof(ipv6Value, sparseIpv6), fc.boolean(), (value, upper) => {
        const groups = Array.from({ length: 8 }, (_, at) => (value >> BigInt(112 - 16 * at)) & 0xffffn);
        const tail = [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".");
        const full = groups.map((group) => group.toString(16).padStart(4, "0")).join(":");
        const dotted = `${groups
          .slice(0, 6)
          .map((group) => group.toString(16))
          .join(":")}:${tail}`;
        const compressed = formatIp({ family: 6, value });
        expect(isIPv6(compressed)).toBe(true);
        for (const form of [full, dotted, compressed]) {
          expect(parseIp(upper ? form.toUpperCase() : form)).toEqual({ family: 6, value });
        }
      }),
    );
  });
});

describe("text that is no address", () => {
  test.each(["", "10.0.0", "127.1", "0x7f.0.0.1", "2130706433", "010.0.0.1", "256.1.1.1", "1::2::3", "host", "[::1]"])(
    "%s",
    (text) => {
      expect(parseIp(text)).toBeUndefined();
    },
  );

  test("never makes the parser throw", () => {
    fc.assert(fc.property(fc.string(), (text) => void parseIp(text)));
    fc.assert(fc.property(fc.stringMatching(/^[0-9a-f:./%]{0,45}$/), (text) => void parseCidr(text)));
  });
});

describe("a range", () => {
  test("holds what the platform says it holds", () => {
    const ipv4 = fc.bigInt({ min: 0n, max: 0xffffffffn });
    fc.assert(
      fc.property(ipv4, fc.integer({ min: 1, max: 32 }), ipv4, (base, prefix, value) => {
        const shift = BigInt(32 - prefix);
        const range = { family: 4, base: (base >> shift) << shift, prefix } as const;
        const list = new BlockList();
        list.addSubnet(formatIp({ family: 4, value: range.base }), prefix, "ipv4");
        // Half of the addresses are drawn into the range, or hardly any would be.
        const near = range.base | (value & ((1n << shift) - 1n));
        for (const each of [value, near]) {
          const text = formatIp({ family: 4, value: each });
          expect(inCidr({ family: 4, value: each }, range)).toBe(list.check(text, "ipv4"));
        }
      }),
    );
  });

  test("is read and written", () => {
    const range = parseCidr("10.20.0.0/16");
    expect(range && formatCidr(range)).toBe("10.20.0.0/16");
    expect(range && sizeOf(range)).toBe(65536n);
    expect(parseCidr("10.20.0.5")?.prefix).toBe(32);
    expect(parseCidr("fd00::/8")?.prefix).toBe(8);
  });

  test.each(["10.20.0.1/16", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8/8", "fe80::1%eth0/64", "/8", "10.0.0.0/-1"])(
    "%s is none",
    (text) => {
      expect(parseCidr(text)).toBeUndefined();
    },
  );

  test("overlaps whatever shares an address with it", () => {
    const [wide, inside, beside, six] = ["10.0.0.0/8", "10.20.0.0/16", "11.0.0.0/8", "fc00::/7"].map(parseCidr);
    if (!wide || !inside || !beside || !six) throw new Error("unreadable");
    expect([overlap(wide, inside), overlap(inside, wide), overlap(wide, wide)]).toEqual([true, true, true]);
    expect([overlap(wide, beside), overlap(wide, six)]).toEqual([false, false]);
  });
});
