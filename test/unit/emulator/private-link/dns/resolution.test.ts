import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { embedIpv4, parseNat64Prefix } from "../../../../../src/emulator/private-link/dns/dns64.ts";
import type { DnsReply } from "../../../../../src/emulator/private-link/dns/message.ts";
import { type DnsView, resolve } from "../../../../../src/emulator/private-link/dns/resolution.ts";
import { DnsZone, wildcardZone } from "../../../../../src/emulator/private-link/dns/zone.ts";
import { isPrivateAddress } from "../../../../../src/emulator/private-link/resources/address-space.ts";
import { Estate } from "../../../../../src/emulator/private-link/resources/estate.ts";
import { resourceKinds } from "../../../../../src/emulator/private-link/resources/service-names.ts";

const name = "mydps.azure-devices-provisioning.net";
const alias = "mydps.privatelink.azure-devices-provisioning.net";
const zoneName = "privatelink.azure-devices-provisioning.net";
const tail = ["dps-mydps.trafficmanager.net", "dps-mydps-001.eus.cloudapp.azure.com"];

function scene() {
  const estate = new Estate();
  const dps = estate.create("dps", "mydps");
  const network = estate.network("plant");
  const inside = (): DnsView => ({ served: network.links, internet: estate.internet });
  const outside = (): DnsView => ({ served: [], internet: estate.internet });
  return { estate, dps, network, zone: estate.zone(zoneName), inside, outside };
}

/** The answer section as `owner TYPE data` lines, with code and authority. */
function told({ code, answers, authority }: DnsReply): string[] {
  return [
    code,
    ...answers.map((record) => `${record.name} ${record.type} ${record.data}`),
    ...(authority === undefined ? [] : [`${authority.zone} SOA ${authority.primary}`]),
  ];
}
const ask = (view: DnsView, asked = name, type = "A") => told(resolve(view, { name: asked, type }));

const publicChain = [
  "NOERROR",
  `${name} CNAME ${alias}`,
  `${alias} CNAME ${tail[0]}`,
  `${tail[0]} CNAME ${tail[1]}`,
  `${tail[1]} A 20.42.0.10`,
];

describe("the name of a resource", () => {
  test("without private endpoints leads to public names alone, inside and outside", () => {
    const { inside, outside } = scene();
    const plain = ["NOERROR", `${name} CNAME ${tail[0]}`, `${tail[0]} CNAME ${tail[1]}`, `${tail[1]} A 20.42.0.10`];
    expect(ask(outside())).toEqual(plain);
    expect(ask(inside())).toEqual(plain);
  });

  test("with a private endpoint is an alias of the privatelink name, whose owner differs inside and outside", () => {
    const { estate, dps, network, inside, outside } = scene();
    estate.connect(dps, network);
    expect(ask(inside())).toEqual(["NOERROR", `${name} CNAME ${alias}`, `${alias} A 10.20.0.5`]);
    expect(ask(outside())).toEqual(publicChain);
  });

  test("looks public inside a network that the zone is not linked to", () => {
    const { estate, dps, network, zone, inside } = scene();
    estate.connect(dps, network);
    network.unlink(zone);
    expect(ask(inside())).toEqual(publicChain);
  });

  test("does not exist, by the word of the private zone, when the record is missing", () => {
    const { estate, dps, network, zone, inside } = scene();
    estate.connect(dps, network);
    zone.remove(alias);
    expect(ask(inside())).toEqual(["NXDOMAIN", `${name} CNAME ${alias}`, `${zoneName} SOA azureprivatedns.net`]);
  });

  test("looks public when the record is missing and the link falls back to the internet", () => {
    const { estate, dps, network, zone, inside } = scene();
    estate.connect(dps, network);
    zone.remove(alias);
    network.link(zone, { fallbackToInternet: true });
    expect(ask(inside())).toEqual(publicChain);
  });

  test("of another owner's private resource does not exist inside a network with that zone", () => {
    const { estate, dps, network, inside } = scene();
    estate.connect(dps, network);
    const foreign = estate.create("dps", "foreign");
    estate.connect(foreign, estate.network("elsewhere"), { zones: [] });
    expect(ask(inside(), foreign.host().name)[0]).toBe("NXDOMAIN");
  });

  test("loses its alias when the last private endpoint is deleted, not when its owner removes the connection", () => {
    const { estate, dps, network, outside } = scene();
    const endpoint = estate.connect(dps, network);
    endpoint.connection.remove();
    expect(ask(outside())).toEqual(publicChain);
    endpoint.delete();
    expect(ask(outside())).not.toContain(`${name} CNAME ${alias}`);
  });

  test("has no IPv6 address, which is not the same as not existing", () => {
    const { outside } = scene();
    const [code, ...rest] = ask(outside(), name, "AAAA");
    expect(code).toBe("NOERROR");
    expect(rest.at(-1)).toMatch(/^azure\.com SOA /);
  });

  test("answers for its alias alone when that is asked for", () => {
    const { estate, dps, network, inside } = scene();
    estate.connect(dps, network);
    expect(ask(inside(), name, "CNAME")).toEqual(["NOERROR", `${name} CNAME ${alias}`]);
  });
});

describe("a view", () => {
  test("knows no names beside those of the world", () => {
    const { estate, dps, network, outside } = scene();
    estate.connect(dps, network);
    // A name that has nothing but names below it exists.
    expect(ask(outside(), zoneName)[0]).toBe("NOERROR");
    expect(ask(outside(), "nobody.azure-devices-provisioning.net")[0]).toBe("NXDOMAIN");
    expect(ask(outside(), "example.org")).toEqual(["NXDOMAIN", " SOA a.root-servers.net"]);
    expect(ask(outside(), "azure-devices-provisioning.net")[0]).toBe("NOERROR");
    expect(ask(outside(), "")[0]).toBe("NOERROR");
  });

  test("answers from the zone with the longest name, so that an override of a suffix breaks its other names", () => {
    const { outside } = scene();
    const zone = new DnsZone("azure-devices-provisioning.net", "ns.corp.example").set(name, { a: ["10.20.0.5"] });
    const view = { ...outside(), served: [{ zone }] };
    expect(ask(view)).toEqual(["NOERROR", `${name} A 10.20.0.5`]);
    expect(ask(view, "global.azure-devices-provisioning.net")).toEqual([
      "NXDOMAIN",
      "azure-devices-provisioning.net SOA ns.corp.example",
    ]);
  });

  test("with a search domain's wildcard answers for names below it alone", () => {
    const { outside } = scene();
    const view = { ...outside(), served: [{ zone: wildcardZone("corp.example", "10.9.9.9") }] };
    expect(ask(view, `${name}.corp.example`)).toEqual(["NOERROR", `${name}.corp.example A 10.9.9.9`]);
    expect(ask(view)[0]).toBe("NOERROR");
    expect(ask(view)).not.toContain(`${name} A 10.9.9.9`);
  });

  test("of a captive portal has one address for everything", () => {
    const { outside } = scene();
    const view = { ...outside(), served: [{ zone: wildcardZone("", "192.168.1.1") }] };
    expect(ask(view)).toEqual(["NOERROR", `${name} A 192.168.1.1`]);
  });

  test("fails on aliases that go in a circle, as resolvers do", () => {
    const zone = new DnsZone("corp.example").set("a.corp.example", { cname: "b.corp.example" });
    zone.set("b.corp.example", { cname: "a.corp.example" });
    expect(ask({ served: [{ zone }], internet: [] }, "a.corp.example")).toEqual(["SERVFAIL"]);
  });

  test("answers from a hosts file before everything else, in the families that it has", () => {
    const { outside } = scene();
    const view = { ...outside(), hosts: [{ address: "10.99.0.9", names: [name, "mydps"] }] };
    expect(ask(view)).toEqual(["NOERROR", `${name} A 10.99.0.9`]);
    expect(ask(view, name, "AAAA")).toEqual(["NOERROR"]);
  });
});

describe("a view with DNS64", () => {
  const withPrefix = (prefix: string): DnsView => ({ ...scene().outside(), nat64: parseNat64Prefix(prefix) });

  test("makes up IPv6 addresses for names that have none", () => {
    expect(ask(withPrefix("64:ff9b::/96"), name, "AAAA").at(-1)).toBe(`${tail[1]} AAAA 64:ff9b::142a:a`);
    expect(ask(withPrefix("64:ff9b::/96"), name, "A").at(-1)).toBe(`${tail[1]} A 20.42.0.10`);
  });

  // The examples of RFC 6052, section 2.4.
  test.each([
    ["2001:db8::/32", "2001:db8:c000:221::"],
    ["2001:db8:100::/40", "2001:db8:1c0:2:21::"],
    ["2001:db8:122::/48", "2001:db8:122:c000:2:2100::"],
    ["2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"],
    ["2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100:0"],
    ["2001:db8:122:344::/96", "2001:db8:122:344::c000:221"],
    ["64:ff9b::/96", "64:ff9b::c000:221"],
  ])("behind %s stands %s for 192.0.2.33", (prefix, address) => {
    expect(embedIpv4(parseNat64Prefix(prefix), "192.0.2.33")).toBe(
      new URL(`http://[${address}]`).hostname.slice(1, -1),
    );
  });

  test("betrays its prefix by the name that has IPv4 addresses only", () => {
    expect(ask(withPrefix("64:ff9b::/96"), "ipv4only.arpa", "AAAA").slice(1)).toEqual([
      "ipv4only.arpa AAAA 64:ff9b::c000:aa",
      "ipv4only.arpa AAAA 64:ff9b::c000:ab",
    ]);
  });

  test("leaves names that do not exist alone", () => {
    expect(ask(withPrefix("64:ff9b::/96"), "nobody.example", "AAAA")[0]).toBe("NXDOMAIN");
  });

  test.each(["64:ff9b::/95", "64:ff9b::1/96", "10.0.0.0/8", "64:ff9b::", "fe80::%eth0/64"])(
    "is refused with %s",
    (text) => {
      expect(() => parseNat64Prefix(text)).toThrow(expect.objectContaining({ code: "emulator.rejected" }));
    },
  );
});

/** What may happen to an estate, as data. */
const change = fc.record({
  resource: fc.nat(3),
  kind: fc.constantFrom(
    "connect",
    "connect-elsewhere",
    "pending",
    "reject",
    "remove",
    "delete",
    "lose-record",
    "unlink",
    "fallback",
    "wrong-zone" as const,
  ),
});
const history = fc.array(change, { maxLength: 14 });

function after(changes: readonly (typeof change extends fc.Arbitrary<infer T> ? T : never)[]): Estate {
  const estate = new Estate();
  const network = estate.network("plant");
  const resources = resourceKinds.map((kind) => estate.create(kind, "contoso"));
  for (const { resource: at, kind } of changes) {
    const resource = resources[at];
    if (resource === undefined) continue;
    const { zone: zoneName, privatelinkName } = resource.host();
    const zone = estate.zone(zoneName);
    const connection = resource.connections.at(-1);
    const act = {
      connect: () => estate.connect(resource, network),
      "connect-elsewhere": () => estate.connect(resource, estate.network("elsewhere")),
      pending: () => estate.connect(resource, network, { approval: "manual" }),
      reject: () => connection?.status !== "Disconnected" && connection?.reject(),
      remove: () => connection?.status !== "Disconnected" && connection?.remove(),
      delete: () => estate.endpoints.findLast((each) => each.resource === resource)?.delete(),
      "lose-record": () => zone.remove(privatelinkName),
      unlink: () => network.unlink(zone),
      fallback: () => network.link(zone, { fallbackToInternet: true }),
      "wrong-zone": () => network.link(estate.zone(`${zoneName}.example`)),
    };
    act[kind]();
  }
  return estate;
}

describe("for every history of an estate, every name and view", () => {
  const cases = fc.record({ changes: history, type: fc.constantFrom("A", "AAAA"), inside: fc.boolean() });
  const everyReply = (
    check: (
      reply: DnsReply,
      context: { estate: Estate; host: string; alias: string; inside: boolean; type: string },
    ) => void,
  ) =>
    fc.assert(
      fc.property(cases, ({ changes, type, inside }) => {
        const estate = after(changes);
        const view: DnsView = { served: inside ? estate.network("plant").links : [], internet: estate.internet };
        for (const { host } of estate.hosts) {
          check(resolve(view, { name: host.name, type }), {
            estate,
            host: host.name,
            alias: host.privatelinkName,
            inside,
            type,
          });
        }
      }),
      { numRuns: 150 },
    );

  test("the answer is one unbroken chain from the question, without circles, that ends at one owner", () => {
    everyReply(({ answers }, { host }) => {
      let owner = host;
      const aliases = answers.filter(({ type }) => type === "CNAME");
      for (const record of aliases) {
        expect(record.name).toBe(owner);
        owner = record.data;
      }
      expect(new Set([host, ...aliases.map(({ data }) => data)]).size).toBe(aliases.length + 1);
      expect(answers.slice(aliases.length).every((each) => each.name === owner && each.type !== "CNAME")).toBe(true);
    });
  });

  test("an address and an authority exclude each other, and 'no such name' has no address", () => {
    everyReply(({ code, answers, authority }) => {
      const hasAddress = answers.some(({ type }) => type !== "CNAME");
      expect(hasAddress).toBe(authority === undefined);
      if (code === "NXDOMAIN") expect(hasAddress).toBe(false);
      expect(["NOERROR", "NXDOMAIN"]).toContain(code);
    });
  });

  test("private addresses and the mark of private zones are seen inside only", () => {
    everyReply(({ answers, authority, code }, { inside, type }) => {
      if (inside) return;
      expect(answers.filter((each) => each.type !== "CNAME" && isPrivateAddress(each.data))).toEqual([]);
      expect(authority?.primary).not.toBe("azureprivatedns.net");
      expect(code).toBe("NOERROR");
      if (type === "A") expect(authority).toBeUndefined();
    });
  });

  test("the privatelink name shows exactly while a private endpoint exists", () => {
    everyReply(({ answers }, { estate, host, alias: privatelinkName }) => {
      const exists = estate.endpoints.some(
        (each) => !each.deleted && each.resource.hosts.some((own) => own.name === host),
      );
      expect(answers.some(({ data }) => data === privatelinkName)).toBe(exists);
    });
  });

  test("'no such name' comes from a linked private zone that lacks the record, and from nowhere else", () => {
    everyReply(({ code, authority }, { estate, alias: privatelinkName, inside }) => {
      if (code !== "NXDOMAIN") return;
      expect(inside).toBe(true);
      const zone = estate.zone(authority?.zone ?? "");
      expect(estate.network("plant").isLinked(zone)).toBe(true);
      expect(zone.find(privatelinkName)).toBeUndefined();
    });
  });
});
