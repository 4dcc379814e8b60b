import { afterEach, describe, expect, test } from "vitest";
import type { ConnectToRule } from "../../../src/endpoint/connect-to.ts";
import { createDnsQuery } from "../../../src/endpoint/dns-query.ts";
import { type EvidenceSources, gatherEvidence } from "../../../src/endpoint/gather-evidence.ts";
import { parseHostsFile } from "../../../src/endpoint/hosts-file.ts";
import { nameServerLookup } from "../../../src/endpoint/name-server-lookup.ts";
import { connectToApplicability, proxyApplicability } from "../../../src/endpoint/path-applicability.ts";
import { parseProxy } from "../../../src/endpoint/proxy.ts";
import { createSystemLookup } from "../../../src/endpoint/system-lookup.ts";
import { Secret } from "../../../src/secret.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { a, aaaa, cname, type DnsBehaviour, DnsServer } from "../../support/dns-server.ts";

const host = "contoso.azure-devices-provisioning.net";
const inZone = "contoso.privatelink.azure-devices-provisioning.net";

const started: DnsServer[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.close()));
});
const serve = async (behaviour: DnsBehaviour): Promise<DnsServer> => {
  const server = await DnsServer.start(behaviour);
  started.push(server);
  return server;
};
const linked: DnsBehaviour = ({ name, type }) => {
  if (name === host) return [{ answers: [cname(host, inZone), ...(type === "A" ? [a(inZone, "10.20.0.5")] : [])] }];
  if (name === "ipv4only.arpa" && type === "AAAA") return [{ answers: [aaaa(name, "2001:db8:64::c000:aa")] }];
  return [{ rcode: 3 }];
};
const outside: DnsBehaviour = ({ name, type }) => [
  name === host ? { answers: type === "A" ? [a(host, "20.42.0.10")] : [] } : { rcode: 3 },
];

const clock = new FakeClock();
const sourcesOf = (servers: readonly DnsServer[], more: Partial<EvidenceSources> = {}): EvidenceSources => ({
  nameServers: servers.map(({ server }) => server),
  query: createDnsQuery({ clock }),
  hosts: parseHostsFile(`10.99.0.9 ${host}\n10.99.0.8 other.example\n`, "/etc/hosts"),
  clock,
  ...more,
});

describe("evidence", () => {
  test("is gathered from every name server, the system, the hosts file, the proxy settings and the NAT64 of the network", async () => {
    const servers = [await serve(linked), await serve(outside)];
    const evidence = await gatherEvidence(
      [host, `${host.toUpperCase()}.`],
      sourcesOf(servers, {
        systemLookup: async () => ({ status: "answered", addresses: ["10.20.0.5"] }),
        proxyFor: () => ({ applies: true, proxy: "http://proxy:3128", source: "HTTPS_PROXY", resolvesNames: true }),
        connectToFor: (name) => (name === host ? { rule: `${host}::127.0.0.1:`, host: "127.0.0.1" } : undefined),
      }),
    );
    expect(evidence.names).toHaveLength(1);
    const [name] = evidence.names;
    expect(
      name?.answers.map(({ server, type, addresses }) => [server, type, addresses.map((each) => each.address)]),
    ).toEqual([
      [`127.0.0.1:${servers[0]?.server.port}`, "A", ["10.20.0.5"]],
      [`127.0.0.1:${servers[0]?.server.port}`, "AAAA", []],
      [`127.0.0.1:${servers[1]?.server.port}`, "A", ["20.42.0.10"]],
      [`127.0.0.1:${servers[1]?.server.port}`, "AAAA", []],
    ]);
    expect(name).toMatchObject({
      host,
      system: { status: "answered", addresses: ["10.20.0.5"] },
      hosts: [{ line: 1, address: "10.99.0.9" }],
      proxy: { applies: true, source: "HTTPS_PROXY" },
      connectTo: { host: "127.0.0.1" },
    });
    expect(evidence.nat64Prefixes).toEqual(["2001:db8:64::/96"]);
    expect(evidence.gatheredAt).toBe(clock.now());
  });

  test("does not include the system's view when explicit name servers take its place", async () => {
    const evidence = await gatherEvidence([host], sourcesOf([await serve(linked)]));
    expect(evidence.names[0]?.system).toEqual({ status: "not-asked" });
  });

  test("ends with the caller's reason", async () => {
    const stop = new AbortController();
    const reason = new Error("enough");
    const server = await serve(() => []);
    const pending = gatherEvidence([host], sourcesOf([server]), { signal: stop.signal });
    while (server.seen.length < 3) await new Promise((turn) => setImmediate(turn));
    stop.abort(reason);
    await expect(pending).rejects.toBe(reason);
  });
});

describe("the system's view", () => {
  test("is asked with a final dot, so that no search domain can answer", async () => {
    const asked: string[] = [];
    const lookup = createSystemLookup(clock, async (name) => {
      asked.push(name);
      return ["10.20.0.5"];
    });
    expect(await lookup(host)).toEqual({ status: "answered", addresses: ["10.20.0.5"] });
    expect(asked).toEqual([`${host}.`]);
    expect(clock.pending).toEqual([]);
  });

  test("tells a missing name from a failure", async () => {
    const failing = (code: string) =>
      createSystemLookup(clock, async () => {
        throw Object.assign(new Error(`getaddrinfo ${code}`), { code });
      })(host);
    expect(await failing("ENOTFOUND")).toEqual({ status: "not-found" });
    expect(await failing("EAI_AGAIN")).toMatchObject({ status: "failed", detail: "getaddrinfo EAI_AGAIN" });
  });

  test("is not waited for without end", async () => {
    const slow = new FakeClock();
    const view = createSystemLookup(slow, () => new Promise(() => {}))(host);
    await slow.sleeping();
    await slow.advance(5000);
    expect(await view).toMatchObject({ status: "failed" });
  });

  test("ends with the caller's reason", async () => {
    const stop = new AbortController();
    const view = createSystemLookup(clock, () => new Promise(() => {}))(host, { signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(view).rejects.toThrow("enough");
  });
});

describe("a look-up by explicit name servers", () => {
  const lookup = (servers: readonly DnsServer[], name: string, hosts = "") => {
    const nameServers = servers.map(({ server }) => server);
    const query = createDnsQuery({ clock });
    return nameServerLookup({ nameServers, query, hosts: parseHostsFile(hosts, "hosts") })(name, {});
  };

  test("gives what the first conclusive server says", async () => {
    const failing = await serve(() => [{ rcode: 2 }]);
    const servers = [failing, await serve(linked), await serve(outside)];
    expect(await lookup(servers, `${host}.`)).toEqual(["10.20.0.5"]);
    await expect(lookup(servers, "missing.example")).rejects.toMatchObject({ code: "ENOTFOUND" });
  });

  test("puts the hosts file first", async () => {
    const server = await serve(outside);
    expect(await lookup([server], host, `10.99.0.9 ${host}`)).toEqual(["10.99.0.9"]);
    expect(server.seen).toEqual([]);
  });

  test("asks for a retry when no server is conclusive", async () => {
    await expect(lookup([await serve(() => [{ rcode: 5 }])], host)).rejects.toMatchObject({ code: "EAI_AGAIN" });
    await expect(lookup([], host)).rejects.toMatchObject({ code: "EAI_AGAIN" });
  });
});

describe("what applies to a connection", () => {
  const rule = (text: string, parts: Partial<ConnectToRule>): ConnectToRule => ({ text, ...parts });

  test("is a connect_to rule that leads to another host", () => {
    const rules = [rule("a", { fromHost: host, toHost: "127.0.0.1" }), rule("b", { toPort: 8884 })];
    expect(connectToApplicability(rules, host, 8883)).toEqual({ rule: "a", host: "127.0.0.1" });
    expect(connectToApplicability(rules, "other.example", 8883)).toBeUndefined();
  });

  test("is a proxy, unless the host is exempt", () => {
    const choice = (url: string, noProxy: string[] = []) => ({
      server: parseProxy(new Secret(url)),
      noProxy,
      source: "HTTPS_PROXY",
    });
    const proxy = "http://proxy:3128";
    expect(proxyApplicability(choice("http://me:secret@proxy:3128"), host, 443)).toEqual({
      applies: true,
      proxy,
      source: "HTTPS_PROXY",
      resolvesNames: true,
    });
    expect(proxyApplicability(choice("socks5://proxy:1080"), host, 443)).toMatchObject({ resolvesNames: false });
    expect(proxyApplicability(choice(proxy, [".azure-devices-provisioning.net"]), host, 443)).toEqual({
      applies: false,
    });
    expect(proxyApplicability({ ...choice(proxy), server: undefined }, host, 443)).toEqual({ applies: false });
  });
});
