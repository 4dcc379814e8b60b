import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { classifyAddress } from "../../../src/endpoint/address-class.ts";
import { formatCidr, sizeOf } from "../../../src/endpoint/ip-address.ts";
import { parsePrivateCidrs } from "../../../src/endpoint/private-cidrs.ts";

describe("private_cidrs", () => {
  test("take ranges of a virtual network", () => {
    const texts = ["20.42.0.0/16", "52.1.2.0/24", "100.64.0.0/10", "10.0.0.0/8", "2603:1030:1::/48", "20.5.0.7"];
    expect(parsePrivateCidrs(texts).faults).toEqual([]);
    expect(parsePrivateCidrs(texts).cidrs.map(formatCidr)).toEqual([...texts.slice(0, 5), "20.5.0.7/32"]);
  });

  test.each([
    ["0.0.0.0/0", /takes in 0\.0\.0\.0\/8/],
    ["20.0.0.0/8", /too much of the internet: expected \/16 or longer/],
    ["20.0.0.0/15", /too much/],
    ["2000::/3", /too much of the internet: expected \/48/],
    ["::/0", /no private endpoint can be/],
    ["::ffff:0:0/96", /no private endpoint can be/],
    ["64:ff9b::/96", /no private endpoint can be/],
    ["127.0.0.0/8", /no private endpoint can be/],
    ["169.254.0.0/16", /no private endpoint can be/],
    ["224.1.0.0/16", /no private endpoint can be/],
    ["10.1.2.3/16", /first address of the range/],
    ["10.0.0.0/99", /./],
    ["vnet", /expected a range such as/],
  ])("%s is a fault", (text, message) => {
    const { cidrs, faults } = parsePrivateCidrs([text]);
    expect(cidrs).toEqual([]);
    expect(faults).toEqual([expect.stringMatching(message)]);
  });

  test("are a fault together when each alone would pass", () => {
    const many = Array.from({ length: 17 }, (_, at) => `20.${at}.0.0/16`);
    expect(parsePrivateCidrs(many.slice(0, 16)).faults).toEqual([]);
    expect(parsePrivateCidrs(many).faults).toEqual([expect.stringMatching(/at most 1048576 public IPv4 addresses/)]);
  });

  test("report every fault at once", () => {
    expect(parsePrivateCidrs(["vnet", "20.0.0.0/8", "10.0.0.0/8"]).faults).toHaveLength(2);
  });

  test("never vouch for more than a small part of the public internet", () => {
    const text = fc
      .tuple(fc.bigInt({ min: 0n, max: 0xffffffffn }), fc.integer({ min: 0, max: 32 }))
      .map(([value, prefix]) =>
        formatCidr({ family: 4, base: (value >> BigInt(32 - prefix)) << BigInt(32 - prefix), prefix }),
      );
    fc.assert(
      fc.property(fc.array(text, { maxLength: 6 }), (texts) => {
        const { cidrs } = parsePrivateCidrs(texts);
        const wide = cidrs.filter((cidr) => classifyAddress(formatCidr(cidr).split("/")[0] ?? "")?.class === "public");
        expect(wide.reduce((sum, cidr) => sum + sizeOf(cidr), 0n)).toBeLessThanOrEqual(1n << 20n);
      }),
    );
  });
});
