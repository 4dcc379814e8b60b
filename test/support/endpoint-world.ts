import type { EndpointSettings } from "../../src/endpoint/endpoint-settings.ts";
import type { EndpointEvidence, NameEvidence } from "../../src/endpoint/evidence.ts";
import { emptyMemory, type NetworkMemory, withSighting } from "../../src/endpoint/network-memory.ts";
import type { ServerAnswer } from "../../src/endpoint/server-answer.ts";

export const dpsHost = "contoso.azure-devices-provisioning.net";
export const dpsInZone = "contoso.privatelink.azure-devices-provisioning.net";
export const globalName = "global.azure-devices-provisioning.net";
export const hubHost = "contoso-hub.azure-devices.net";
export const idScope = "0ne00AB12CD";
/** When worlds are looked at: noon. */
export const noon = Date.UTC(2026, 2, 1, 12);
export const hour = 60 * 60 * 1000;

/** What one name server says about one name: its A and its AAAA answer, without the server's own name. */
export type View = readonly [Partial<ServerAnswer>, Partial<ServerAnswer>];

const addresses = (...texts: string[]) => ({ addresses: texts.map((address) => ({ address, ttl: 60 })), ttl: 60 });
const privateAuthority = (zone: string) => ({ soa: { zone, primary: "azureprivatedns.net" } });
const publicAuthority = { soa: { zone: "azure-devices-provisioning.net", primary: "ns1-04.azure-dns.com" } };
const through = (...chain: string[]) => ({ chain, terminalOwner: chain.at(-1) ?? "" });
const inZoneOf = (host: string): string => host.replace(".", ".privatelink.");
const zoneOf = (host: string): string => inZoneOf(host).split(".").slice(1).join(".");
const region = "ihdps-eus.cloudapp.azure.com";
const nothing: Partial<ServerAnswer> = { ...publicAuthority };
const missing: Partial<ServerAnswer> = { rcode: "NXDOMAIN", ...publicAuthority };
const fails = (failure: NonNullable<ServerAnswer["failure"]>, more: Partial<ServerAnswer> = {}): View => [
  { failure, ...more },
  { failure, ...more },
];

/** What a view is by its making, not by anybody's reading of it. */
export interface ViewTruth {
  readonly view: (host: string) => View;
  /** It shows that a private endpoint, a private zone or a private address exists. */
  readonly private: boolean;
  /** It is a whole answer with ordinary public addresses and nothing else. */
  readonly plainlyPublic: boolean;
}
const shows = (view: ViewTruth["view"], truth: "private" | "public" | "neither"): ViewTruth => ({
  view,
  private: truth === "private",
  plainlyPublic: truth === "public",
});

/** Every way in which a name server may see a name. */
export const views = {
  // Public only
  public: shows(() => [addresses("20.42.0.10"), nothing], "public"),
  publicOther: shows(() => [addresses("20.42.0.11", "20.42.0.12"), nothing], "public"),
  publicThroughRegion: shows(
    () => [{ ...through(region), ...addresses("20.42.0.10") }, { ...through(region) }],
    "public",
  ),
  publicWithoutAaaaAuthority: shows(() => [addresses("20.42.0.10"), {}], "public"),
  publicWithDns64: shows(() => [addresses("20.42.0.10"), addresses("64:ff9b::142a:a")], "public"),
  publicWithIpv6: shows(() => [addresses("20.42.0.10"), addresses("2603:1030::5")], "public"),
  // A private endpoint, seen in one way or another
  linked: shows(
    (host) => [{ ...through(inZoneOf(host)), ...addresses("10.20.0.5") }, through(inZoneOf(host))],
    "private",
  ),
  linkedElsewhere: shows(
    (host) => [{ ...through(inZoneOf(host)), ...addresses("10.30.0.5") }, through(inZoneOf(host))],
    "private",
  ),
  linkedWithDns64: shows(
    (host) => [
      { ...through(inZoneOf(host)), ...addresses("10.20.0.5") },
      { ...through(inZoneOf(host)), ...addresses("64:ff9b::a14:5") },
    ],
    "private",
  ),
  linkedShared: shows(
    (host) => [{ ...through(inZoneOf(host)), ...addresses("100.64.0.5") }, through(inZoneOf(host))],
    "private",
  ),
  linkedMixed: shows(
    (host) => [{ ...through(inZoneOf(host)), ...addresses("20.42.0.10", "10.20.0.5") }, through(inZoneOf(host))],
    "private",
  ),
  outside: shows((host) => {
    const chain = through(inZoneOf(host), region);
    return [{ ...chain, ...addresses("20.42.0.10") }, chain];
  }, "private"),
  zoneWithPublicRange: shows(
    (host) => [{ ...through(inZoneOf(host)), ...addresses("20.42.0.10") }, through(inZoneOf(host))],
    "private",
  ),
  missingRecord: shows((host) => {
    const answer = { rcode: "NXDOMAIN", ...through(inZoneOf(host)), ...privateAuthority(zoneOf(host)) };
    return [answer, answer];
  }, "private"),
  missingAddress: shows((host) => {
    const answer = { ...through(inZoneOf(host)), ...privateAuthority(zoneOf(host)) };
    return [answer, answer];
  }, "private"),
  strippedBehindAlias: shows((host) => [through(inZoneOf(host)), through(inZoneOf(host))], "private"),
  strippedInPrivateZone: shows((host) => {
    const alias = through(inZoneOf(host));
    return [alias, { ...alias, ...privateAuthority(zoneOf(host)) }];
  }, "private"),
  shadowed: shows((host) => {
    const zone = host.split(".").slice(1).join(".");
    return [
      { rcode: "NXDOMAIN", ...privateAuthority(zone) },
      { rcode: "NXDOMAIN", ...privateAuthority(zone) },
    ];
  }, "private"),
  override: shows(() => [addresses("10.20.0.7"), nothing], "private"),
  captive: shows(() => [addresses("192.168.1.1"), {}], "private"),
  uniqueLocal: shows(
    (host) => [through(inZoneOf(host)), { ...through(inZoneOf(host)), ...addresses("fd12:3456::1") }],
    "private",
  ),
  uniqueLocalBesidePublic: shows(() => [addresses("20.42.0.10"), addresses("fd12:3456::1")], "private"),
  cutBehindAlias: shows((host) => fails("cut", through(inZoneOf(host))), "private"),
  failedBehindAlias: shows(
    (host) => fails("server-failure", { rcode: "SERVFAIL", ...through(inZoneOf(host)) }),
    "private",
  ),
  // Neither: nothing is shown, or nothing that a service could be at
  notFound: shows(() => [missing, missing], "neither"),
  noAddress: shows(() => [nothing, nothing], "neither"),
  stripped: shows(() => [{}, {}], "neither"),
  serverFailure: shows(() => fails("server-failure", { rcode: "SERVFAIL" }), "neither"),
  refused: shows(() => fails("refused", { rcode: "REFUSED" }), "neither"),
  silent: shows(() => fails("timeout"), "neither"),
  unreachable: shows(() => fails("unreachable"), "neither"),
  loop: shows(() => fails("loop", { rcode: "NOERROR" }), "neither"),
  endless: shows(() => fails("chain-too-long", { rcode: "NOERROR" }), "neither"),
  malformed: shows(() => fails("malformed", { rcode: "NOERROR" }), "neither"),
  cut: shows(() => fails("cut"), "neither"),
  cutPublic: shows(() => fails("cut", addresses("20.42.0.10")), "neither"),
  ipv6Silent: shows(() => [addresses("20.42.0.10"), { failure: "timeout" }], "neither"),
  loopback: shows(() => [addresses("127.0.0.1"), addresses("::1")], "neither"),
  unspecified: shows(() => [addresses("0.0.0.0"), addresses("::")], "neither"),
  metadata: shows(() => [addresses("169.254.169.254"), nothing], "neither"),
  platform: shows(() => [addresses("168.63.129.16"), nothing], "neither"),
  documentation: shows(() => [addresses("192.0.2.7"), nothing], "neither"),
  fakeIp: shows(() => [addresses("198.18.0.7"), nothing], "neither"),
  shared: shows(() => [addresses("100.64.0.9"), nothing], "neither"),
  loopbackBesidePublic: shows(() => [addresses("127.0.0.1", "20.42.0.10"), nothing], "neither"),
  translatedLoopback: shows(() => [nothing, addresses("64:ff9b::7f00:1", "::ffff:7f00:1")], "neither"),
} as const satisfies Record<string, ViewTruth>;

export type ViewName = keyof typeof views;

/** The evidence about one name, from what each server (10.0.0.1, 10.0.0.2, …) sees. */
export function nameEvidence(
  host: string,
  seen: readonly (ViewName | View)[],
  more: Partial<NameEvidence> = {},
): NameEvidence {
  const servers = seen.map((_, at) => `10.0.0.${at + 1}:53`);
  const answers = seen.flatMap((each, at) => {
    const [a, aaaa] = typeof each === "string" ? views[each].view(host) : each;
    const complete = (type: "A" | "AAAA", part: Partial<ServerAnswer>): ServerAnswer => ({
      server: servers[at] ?? "",
      type,
      carrier: "udp",
      ...(part.failure === undefined ? { rcode: "NOERROR" } : {}),
      chain: [],
      terminalOwner: host,
      addresses: [],
      ...part,
    });
    return [complete("A", a), complete("AAAA", aaaa)];
  });
  return { host, servers, answers, system: { status: "not-asked" }, hosts: [], proxy: { applies: false }, ...more };
}

/** What the world shows of the service, beside an ordinary global endpoint. */
export function worldOf(
  seen: readonly (ViewName | View)[],
  more: Partial<NameEvidence> = {},
  globalSeen: readonly ViewName[] = ["publicOther"],
): EndpointEvidence {
  return {
    gatheredAt: noon,
    names: [nameEvidence(dpsHost, seen, more), nameEvidence(globalName, globalSeen)],
    nat64Prefixes: [],
  };
}

/** Settings of a device that knows its DPS. */
export function settingsOf(more: Partial<EndpointSettings> = {}): EndpointSettings {
  return {
    endpoint: "auto",
    idScope,
    dpsName: "contoso",
    network: "any",
    dataResidency: "any",
    privateCidrs: [],
    allowGlobalFallback: false,
    ...more,
  };
}

/** The same without a DPS name. */
export function namelessSettings(more: Partial<EndpointSettings> = {}): EndpointSettings {
  const { dpsName: _, ...rest } = settingsOf(more);
  return rest;
}

/** A device that reached its DPS over a private path, `age` milliseconds before {@link noon}. */
export function wasPrivate({ age = hour, address = "10.20.0.5", host = dpsHost, scope = idScope } = {}): NetworkMemory {
  return withSighting(emptyMemory, { role: "dps", host, idScope: scope }, address, noon - age);
}

export const hostsLine = (address: string) => ({ hosts: [{ file: "/etc/hosts", line: 3, address, name: dpsHost }] });
export const systemSees = (...texts: string[]) => ({ system: { status: "answered", addresses: texts } }) as const;
export const behindProxy = (more: { resolvesNames?: boolean } = {}) =>
  ({
    proxy: { applies: true, proxy: "http://proxy:3128", source: "HTTPS_PROXY", resolvesNames: true, ...more },
  }) as const;
