import { describe, expect, test } from "vitest";
import { candidateHosts, decideEndpoint } from "../../../src/endpoint/decision.ts";
import type { EndpointDecision } from "../../../src/endpoint/endpoint-decision.ts";
import type { EndpointSettings } from "../../../src/endpoint/endpoint-settings.ts";
import type { EndpointEvidence } from "../../../src/endpoint/evidence.ts";
import { emptyMemory, type NetworkMemory } from "../../../src/endpoint/network-memory.ts";
import {
  behindProxy,
  dpsHost,
  dpsInZone,
  globalName,
  hostsLine,
  hour,
  idScope,
  nameEvidence,
  namelessSettings,
  noon,
  settingsOf,
  systemSees,
  type ViewName,
  wasPrivate,
  worldOf,
} from "../../support/endpoint-world.ts";

const strict = { network: "private" } as const;
const residency = { dataResidency: "strict" } as const;

function decide(
  evidence: EndpointEvidence,
  settings: Partial<EndpointSettings> = {},
  memory: NetworkMemory = emptyMemory,
): EndpointDecision {
  return decideEndpoint(settingsOf(settings), evidence, memory);
}
const codesOf = ({ warnings }: EndpointDecision): string[] => warnings.map(({ code }) => code);
const service = { kind: "service", host: dpsHost };
const none = { kind: "none", path: "unknown" };
const publicAddresses = { path: "public", addresses: ["20.42.0.10"] };

describe("settings that leave nothing to observe", () => {
  test("row 1: the global endpoint and strictness exclude each other, in every spelling and cloud", () => {
    for (const endpoint of [
      "global",
      globalName,
      "GLOBAL.azure-devices-provisioning.US.",
      "global.azure-devices-provisioning.cn",
    ]) {
      for (const each of [strict, residency]) {
        expect(decide(worldOf(["public"]), { endpoint, ...each })).toMatchObject({
          ...none,
          reason: "explicit-global-forbidden-by-strict",
          retryable: false,
        });
      }
    }
  });

  test.each([
    ["10.20.0.5", "explicit-host-invalid"],
    ["fd00::5", "explicit-host-invalid"],
    ["[fd00::5]", "explicit-host-invalid"],
    ["127.1", "explicit-host-invalid"],
    ["0x7f000001", "explicit-host-invalid"],
    ["https://contoso.net", "explicit-host-invalid"],
    ["contoso。azure-devices-provisioning。net", "explicit-host-invalid"],
    ["", "explicit-host-invalid"],
    [dpsInZone, "explicit-host-privatelink"],
  ])("row 2: the host %j is refused, for its certificate cannot match", (endpoint, reason) => {
    expect(decide(worldOf(["linked"]), { endpoint })).toMatchObject({ ...none, reason, retryable: false });
  });

  test("row 4: strictness without a DPS name leaves nothing", () => {
    const decision = decideEndpoint(namelessSettings(strict), worldOf(["public"]), emptyMemory);
    expect(decision).toMatchObject({ ...none, reason: "strict-needs-dps-name", retryable: false });
    expect(decideEndpoint(namelessSettings({ endpoint: "service" }), worldOf([]), emptyMemory)).toMatchObject({
      ...none,
      reason: "service-needs-dps-name",
    });
  });

  test("row 5: without a DPS name the global endpoint is used, with a warning", () => {
    const decision = decideEndpoint(namelessSettings(), worldOf(["public"]), emptyMemory);
    expect(decision).toMatchObject({
      kind: "global",
      host: globalName,
      reason: "no-dps-name",
      path: "public",
      addresses: ["20.42.0.11", "20.42.0.12"],
    });
    expect(codesOf(decision)).toContain("dps-name-unknown");
  });

  test.each(["global", "Global.", globalName, "a.b", "", "contoso.example.net", dpsInZone])(
    "the DPS name %j names no DPS",
    (dpsName) => {
      expect(decide(worldOf(["public"]), { dpsName })).toMatchObject({ ...none, reason: "dps-name-invalid" });
    },
  );

  test("a DPS name may be the whole host name, in any spelling", () => {
    for (const dpsName of ["contoso", "CONTOSO", dpsHost, `${dpsHost.toUpperCase()}.`]) {
      expect(decide(worldOf(["linked"]), { dpsName })).toMatchObject({ ...service, reason: "private-endpoint" });
    }
  });

  test("row 3: an ID scope of another cloud is only a warning", () => {
    const decision = decide(worldOf(["linked"]), { idScope: "0cn00AB12CD", cloud: "public" });
    expect(decision).toMatchObject(service);
    expect(codesOf(decision)).toEqual(["id-scope-cloud-mismatch"]);
  });

  test("the cloud follows from the ID scope", () => {
    expect(candidateHosts(settingsOf({ idScope: "0us00AB12CD" }), emptyMemory)).toEqual([
      "contoso.azure-devices-provisioning.us",
      "global.azure-devices-provisioning.us",
    ]);
  });
});

describe("the names to observe", () => {
  test("are those that may be dialled", () => {
    expect(candidateHosts(settingsOf(), emptyMemory)).toEqual([dpsHost, globalName]);
    expect(candidateHosts(settingsOf(strict), emptyMemory)).toEqual([dpsHost]);
    expect(candidateHosts(settingsOf({ endpoint: "service" }), emptyMemory)).toEqual([dpsHost]);
    expect(candidateHosts(settingsOf({ endpoint: "DPS.example." }), emptyMemory)).toEqual(["dps.example"]);
    expect(candidateHosts(namelessSettings(), emptyMemory)).toEqual([globalName]);
    expect(candidateHosts(namelessSettings(), wasPrivate())).toEqual([dpsHost, globalName]);
  });
});

describe("a private path in sight", () => {
  test("row 7: the private endpoint is pinned", () => {
    const decision = decide(worldOf(["linked", "linked"], systemSees("10.20.0.5")));
    expect(decision).toMatchObject({
      ...service,
      reason: "private-endpoint",
      path: "private",
      addresses: ["10.20.0.5"],
      proxy: "never",
      freshForMs: 60_000,
      warnings: [],
    });
    expect(decision.text).toContain(dpsInZone);
  });

  test("it is known when only one server shows it, and even when the system's view is public", () => {
    for (const seen of [
      ["public", "linked"],
      ["linked", "public"],
      ["silent", "linked"],
    ] satisfies ViewName[][]) {
      for (const each of [{}, strict]) {
        const decision = decide(worldOf(seen, systemSees("20.42.0.10")), each);
        expect(decision).toMatchObject({ ...service, path: "private", addresses: ["10.20.0.5"] });
        expect(codesOf(decision)).toContain("mixed-answers");
        expect(codesOf(decision)).toContain("resolvers-disagree");
      }
    }
  });

  test("public addresses beside a private one are dropped", () => {
    expect(decide(worldOf(["linkedMixed"]), strict)).toMatchObject({ path: "private", addresses: ["10.20.0.5"] });
  });

  test("a private zone's own record outdoes private addresses from nowhere", () => {
    expect(decide(worldOf(["captive", "linked"]))).toMatchObject({
      reason: "private-endpoint",
      addresses: ["10.20.0.5"],
    });
  });

  test("shared address space counts only where a private zone vouches for it", () => {
    expect(decide(worldOf(["linkedShared"]), strict)).toMatchObject({ path: "private", addresses: ["100.64.0.5"] });
    expect(decide(worldOf(["shared"]), strict)).toMatchObject({ ...none, reason: "overlay-address" });
  });

  test("row 8: a private address without privatelink is used, with a warning", () => {
    const decision = decide(worldOf(["override"], systemSees("10.20.0.7")), strict);
    expect(decision).toMatchObject({
      ...service,
      reason: "private-dns-override",
      path: "private",
      addresses: ["10.20.0.7"],
    });
    expect(codesOf(decision)).toContain("private-address-without-privatelink");
  });

  test("row 9: a hosts line is used, and named with file and line", () => {
    const decision = decide(worldOf(["outside"], hostsLine("10.99.0.9")), strict);
    expect(decision).toMatchObject({ ...service, reason: "hosts-override", path: "private", addresses: ["10.99.0.9"] });
    expect(decision.text).toContain("/etc/hosts:3");
    expect(codesOf(decision)).toContain("hosts-override");
  });

  test("a hosts line that agrees with the private zone changes nothing but a warning", () => {
    const decision = decide(worldOf(["linked"], hostsLine("10.20.0.5")));
    expect(decision).toMatchObject({ reason: "private-endpoint", addresses: ["10.20.0.5"] });
    expect(codesOf(decision)).toContain("hosts-override");
  });

  test("NAT64 translations of the private address follow it", () => {
    expect(decide(worldOf(["linkedWithDns64"]), strict)).toMatchObject({ addresses: ["10.20.0.5", "64:ff9b::a14:5"] });
  });

  test("private_cidrs make a public range private", () => {
    expect(decide(worldOf(["zoneWithPublicRange"]), { ...strict, privateCidrs: ["20.42.0.0/16"] })).toMatchObject({
      ...service,
      reason: "private-endpoint",
      path: "private",
    });
  });

  test("an IPv6 address alone is used with a warning, and does not satisfy strictness", () => {
    const decision = decide(worldOf(["uniqueLocal"]));
    expect(decision).toMatchObject({ ...service, reason: "private-address-ipv6-only", addresses: ["fd12:3456::1"] });
    expect(codesOf(decision)).toContain("ipv6-answer");
    expect(decide(worldOf(["uniqueLocal"]), strict)).toMatchObject({ ...none, reason: "private-address-ipv6-only" });
  });
});

describe("no address in sight", () => {
  test.each<[string, ViewName[], string]>([
    ["row 10: the zone lacks the record", ["missingRecord"], "private-zone-missing-record"],
    ["row 10: the record has no address", ["missingAddress", "missingRecord"], "private-zone-missing-record"],
    ["row 10: the address was taken out behind the alias", ["strippedBehindAlias"], "private-answer-stripped"],
    [
      "row 10: the same, where the private zone itself has no IPv6 address",
      ["strippedInPrivateZone"],
      "private-answer-stripped",
    ],
    ["row 10: the answer is cut", ["cutBehindAlias"], "answer-cut"],
    ["row 11: a private zone shadows the name", ["shadowed", "notFound"], "private-zone-shadows-name"],
    ["row 11: nobody knows the name", ["notFound", "notFound"], "name-not-found"],
    ["the name has no address", ["noAddress", "noAddress"], "name-without-address"],
    ["row 13: nobody answers", ["silent", "refused", "serverFailure", "unreachable"], "dns-unavailable"],
    ["row 13: not found needs every server", ["notFound", "silent"], "dns-unavailable"],
    ["a loop is no evidence", ["loop", "endless", "malformed"], "dns-unavailable"],
    ["there is no name server", [], "dns-unavailable"],
  ])("%s", (_, seen, reason) => {
    for (const each of [{}, strict, { allowGlobalFallback: reason !== "name-not-found" }]) {
      expect(decide(worldOf(seen), each)).toMatchObject({ ...none, reason, retryable: true });
    }
  });

  test("row 13: the system's own failure counts as well", () => {
    const failing = { system: { status: "failed", detail: "EAI_AGAIN" } } as const;
    const decision = decide(worldOf(["notFound"], failing), { allowGlobalFallback: true });
    expect(decision).toMatchObject({ ...none, reason: "dns-unavailable" });
    expect(decision.text).toContain("EAI_AGAIN");
    expect(decide(worldOf(["notFound"], failing), {}, wasPrivate())).toMatchObject({ reason: "last-good-address" });
  });

  test("row 10 names the record to create", () => {
    const { text, advice } = decide(worldOf(["missingRecord"]));
    expect(text).toContain("privatelink.azure-devices-provisioning.net");
    expect(advice).toContain("the A record `contoso` in the zone privatelink.azure-devices-provisioning.net");
  });

  test("row 11: a missing name leads to the global endpoint only when that is allowed and nothing was ever private", () => {
    const fallback = { allowGlobalFallback: true };
    const world = worldOf(["notFound", "notFound"], { system: { status: "not-found" } });
    expect(decide(world, fallback)).toMatchObject({
      kind: "global",
      reason: "global-fallback",
      addresses: ["20.42.0.11", "20.42.0.12"],
    });
    expect(decide(world, { ...fallback, ...strict })).toMatchObject({ ...none, reason: "name-not-found" });
    expect(decide(world, fallback, wasPrivate())).toMatchObject({ ...none, reason: "name-not-found" });
    expect(decide(worldOf(["notFound"], {}, ["silent"]), fallback)).toMatchObject({
      ...none,
      reason: "name-not-found",
    });
    expect(decide(world, { ...fallback, endpoint: "service" })).toMatchObject({ ...none, reason: "name-not-found" });
    expect(decide(worldOf(["notFound"], systemSees("20.42.0.10")), fallback)).toMatchObject({
      ...service,
      reason: "evidence-incomplete",
    });
  });

  test("no evidence at all is no evidence of a public service", () => {
    const decision = decide({ gatheredAt: noon, names: [], nat64Prefixes: [] });
    expect(decision).toMatchObject({ ...none, reason: "dns-unavailable" });
    expect(decision.text).toContain(`nothing was asked about ${dpsHost}`);
  });

  test("row 14: addresses of this machine, link or metadata service are never dialled for an Azure name", () => {
    for (const seen of [
      "loopback",
      "unspecified",
      "metadata",
      "platform",
      "documentation",
      "translatedLoopback",
    ] as const) {
      for (const each of [{}, strict, { endpoint: dpsHost }]) {
        expect(decide(worldOf([seen]), each)).toMatchObject({ ...none, reason: "implausible-address" });
      }
    }
    expect(decide(worldOf(["public"], hostsLine("127.0.0.1")))).toMatchObject({ ...service, ...publicAddresses });
  });

  test("row 14: fake and overlay addresses are dialled outside strictness, pinned", () => {
    for (const [seen, address] of [
      ["fakeIp", "198.18.0.7"],
      ["shared", "100.64.0.9"],
    ] as const) {
      expect(decide(worldOf([seen]))).toMatchObject({
        ...service,
        reason: "overlay-address",
        path: "unknown",
        addresses: [address],
      });
      expect(decide(worldOf([seen]), strict)).toMatchObject({ ...none, reason: "overlay-address" });
    }
  });
});

describe("public addresses in sight", () => {
  test.each<[string, EndpointEvidence, string]>([
    [
      "row 15: the private zone itself gives a public address",
      worldOf(["zoneWithPublicRange"]),
      "private-zone-public-range",
    ],
    [
      "row 16: a private endpoint exists that this network does not see",
      worldOf(["outside"]),
      "private-endpoint-not-visible",
    ],
    ["row 16: also when only a second server tells", worldOf(["public", "outside"]), "private-endpoint-not-visible"],
    [
      "row 16: also when one server misses the record",
      worldOf(["public", "missingRecord"]),
      "private-endpoint-not-visible",
    ],
    ["row 16: also when an answer is cut", worldOf(["public", "cutBehindAlias"]), "private-endpoint-not-visible"],
    ["a private zone shadows the name elsewhere", worldOf(["public", "shadowed"]), "private-zone-shadows-name"],
    ["a hosts line may hide a private endpoint", worldOf(["public"], hostsLine("20.42.0.10")), "hosts-public-override"],
    ["row 17: one server is silent", worldOf(["public", "silent"]), "evidence-incomplete"],
    ["row 17: one server refuses", worldOf(["refused", "public"]), "evidence-incomplete"],
    ["row 17: one server knows no such name", worldOf(["public", "notFound"]), "evidence-incomplete"],
    ["row 17: one answer may have been stripped", worldOf(["public", "stripped"]), "evidence-incomplete"],
    ["row 17: one server is silent about IPv6", worldOf(["ipv6Silent"]), "evidence-incomplete"],
    ["row 17: an answer is cut", worldOf(["cutPublic"]), "evidence-incomplete"],
    ["row 17: there is no server to ask", worldOf([], systemSees("20.42.0.10")), "evidence-incomplete"],
    [
      "row 17: the system fails",
      worldOf(["public"], { system: { status: "failed", detail: "EAI_AGAIN" } }),
      "evidence-incomplete",
    ],
    [
      "row 17: the system knows no such name",
      worldOf(["public"], { system: { status: "not-found" } }),
      "evidence-incomplete",
    ],
    ["row 17: something implausible is beside", worldOf(["loopbackBesidePublic"]), "evidence-incomplete"],
    ["row 17: a fake address is beside", worldOf(["public", "fakeIp"]), "evidence-incomplete"],
  ])("%s: the service, never the global endpoint", (_, world, reason) => {
    expect(decide(world)).toMatchObject({ ...service, reason, ...publicAddresses });
    expect(decide(world, { allowGlobalFallback: true })).toMatchObject({ ...service, reason });
    for (const each of [strict, residency])
      expect(decide(world, each)).toMatchObject({ ...none, reason, retryable: true });
  });

  test("row 17 says who was heard, who was not, and what they said", () => {
    const { text, warnings } = decide(worldOf(["public", "notFound", "silent", "ipv6Silent"]));
    expect(text).toContain("10.0.0.1:53: 20.42.0.10 (public)");
    expect(text).toContain("10.0.0.2:53: no such name");
    expect(text).toContain("10.0.0.3:53: timeout");
    expect(text).toContain("10.0.0.4:53: timeout when asked for IPv6");
    expect(warnings.map(({ code }) => code)).toEqual(["resolvers-disagree"]);
  });

  test("row 15 gives both explanations", () => {
    const { text, advice } = decide(worldOf(["zoneWithPublicRange"]));
    expect(text).toMatch(/uses a public range, or the public chain ends/);
    expect(advice).toMatch(/Only if 20\.42\.0\.10 lies in it, list that range/);
  });

  test("row 19: public only is not enough when only a private path will do", () => {
    for (const each of [strict, residency]) {
      expect(decide(worldOf(["public", "public"], systemSees("20.42.0.10")), each)).toMatchObject({
        ...none,
        reason: "strict-no-private-address",
      });
    }
  });

  test("row 20: when everybody was heard and agrees, the global endpoint is used, pinned to its own addresses", () => {
    for (const seen of [
      "public",
      "publicThroughRegion",
      "publicWithDns64",
      "publicWithIpv6",
      "publicWithoutAaaaAuthority",
    ] as const) {
      expect(decide(worldOf([seen, "publicOther"], systemSees("20.42.0.10")))).toMatchObject({
        kind: "global",
        host: globalName,
        reason: "public-only",
        path: "public",
        addresses: ["20.42.0.11", "20.42.0.12"],
      });
    }
  });

  test("the global endpoint is not dialled unobserved", () => {
    expect(decide(worldOf(["public"], {}, ["silent"]))).toMatchObject({
      ...none,
      reason: "global-unresolved",
      retryable: true,
    });
    expect(decide(worldOf(["public"], {}, ["loopback"]))).toMatchObject({ ...none, reason: "global-unresolved" });
    const filtered = decide(worldOf(["public"], {}, ["captive"]));
    expect(filtered).toMatchObject({ kind: "global", addresses: ["192.168.1.1"], path: "unknown" });
    expect(codesOf(filtered)).toContain("global-not-public");
  });

  test('endpoint = "service" stays with the service', () => {
    expect(decide(worldOf(["public"]), { endpoint: "service" })).toMatchObject({
      ...service,
      reason: "service-requested",
      ...publicAddresses,
    });
  });
});

describe("what was private before", () => {
  test("row 12: without DNS the last good address is dialled, for a day", () => {
    const decision = decide(worldOf(["silent"]), strict, wasPrivate({ age: 23 * hour }));
    expect(decision).toMatchObject({
      ...service,
      reason: "last-good-address",
      path: "private",
      addresses: ["10.20.0.5"],
    });
    expect(decision.text).toContain("23 h ago");
    expect(decide(worldOf(["silent"]), {}, wasPrivate({ age: 25 * hour }))).toMatchObject({
      ...none,
      reason: "dns-unavailable",
    });
  });

  test("row 12: also when the private name server hiccups and a public one answers", () => {
    for (const each of [{}, strict]) {
      expect(decide(worldOf(["silent", "public"]), each, wasPrivate())).toMatchObject({
        ...service,
        reason: "last-good-address",
        path: "private",
      });
    }
  });

  test("row 12: also when a filter takes the private address out of the answers", () => {
    for (const seen of ["strippedBehindAlias", "stripped"] as const) {
      expect(decide(worldOf([seen]), strict, wasPrivate())).toMatchObject({ reason: "last-good-address" });
    }
  });

  test("a clock that fell back a little does not spoil the last good address, one far off does", () => {
    expect(decide(worldOf(["silent"]), {}, wasPrivate({ age: -hour }))).toMatchObject({ reason: "last-good-address" });
    expect(decide(worldOf(["silent"]), {}, wasPrivate({ age: -48 * hour }))).toMatchObject({
      reason: "dns-unavailable",
    });
  });

  test("remembered addresses are classified anew", () => {
    const memory = wasPrivate({ address: "20.42.0.10" });
    expect(decide(worldOf(["silent"]), {}, memory)).toMatchObject({ ...none, reason: "dns-unavailable" });
    expect(decide(worldOf(["silent"]), { privateCidrs: ["20.42.0.0/16"] }, memory)).toMatchObject({
      reason: "last-good-address",
    });
  });

  test("a remembered IPv6 address does not satisfy strictness", () => {
    const memory = wasPrivate({ address: "fd12:3456::1" });
    expect(decide(worldOf(["silent"]), {}, memory)).toMatchObject({ addresses: ["fd12:3456::1"] });
    expect(decide(worldOf(["silent"]), strict, memory)).toMatchObject({ ...none, reason: "dns-unavailable" });
  });

  test("row 18: a path that turned public is used for the service only, and not at all when strict", () => {
    const decision = decide(worldOf(["public", "public"]), {}, wasPrivate({ age: 40 * 24 * hour }));
    expect(decision).toMatchObject({ ...service, reason: "private-downgrade", ...publicAddresses });
    expect(decision.text).toContain("2026-01-20T12:00:00.000Z");
    expect(decide(worldOf(["public"]), strict, wasPrivate())).toMatchObject({ ...none, reason: "private-downgrade" });
  });

  test("it holds for the ID scope, so taking the DPS name out does not lift it", () => {
    const decision = decideEndpoint(namelessSettings(), worldOf(["public"]), wasPrivate());
    expect(decision).toMatchObject({ ...service, reason: "private-downgrade" });
    expect(codesOf(decision)).toContain("dps-name-from-memory");
    expect(decideEndpoint(namelessSettings(strict), worldOf(["linked"]), wasPrivate())).toMatchObject({
      ...service,
      path: "private",
    });
    expect(
      decideEndpoint(namelessSettings({ idScope: idScope.toLowerCase() }), worldOf(["public"]), wasPrivate()),
    ).toMatchObject(service);
  });

  test("it holds for the DPS name, so another ID scope does not lift it", () => {
    expect(decide(worldOf(["public"]), { idScope: "0ne00FFFFFF" }, wasPrivate())).toMatchObject({
      ...service,
      reason: "private-downgrade",
    });
  });

  test("another DPS with another scope is not concerned", () => {
    const memory = wasPrivate({ host: "fabrikam.azure-devices-provisioning.net", scope: "0ne00FFFFFF" });
    expect(decide(worldOf(["public"]), {}, memory)).toMatchObject({ kind: "global", reason: "public-only" });
  });

  test("a memory that cannot be read rules the global endpoint out", () => {
    const damaged: NetworkMemory = { sightings: [], damaged: true };
    expect(decide(worldOf(["public"]), {}, damaged)).toMatchObject({
      ...service,
      reason: "memory-unreadable",
      ...publicAddresses,
    });
    expect(decideEndpoint(namelessSettings(), worldOf([]), damaged)).toMatchObject({
      ...none,
      reason: "memory-unreadable",
      retryable: false,
    });
    expect(decide(worldOf(["notFound"]), { allowGlobalFallback: true }, damaged)).toMatchObject({
      ...none,
      reason: "name-not-found",
    });
  });
});

describe("an explicit host", () => {
  const explicit = { endpoint: dpsHost };

  test("chooses the host and keeps the vetting", () => {
    expect(decide(worldOf(["linked"]), { ...explicit, ...strict })).toMatchObject({
      kind: "explicit",
      host: dpsHost,
      reason: "private-endpoint",
      addresses: ["10.20.0.5"],
    });
    expect(decide(worldOf(["public"]), explicit)).toMatchObject({
      kind: "explicit",
      host: dpsHost,
      reason: "explicit",
      ...publicAddresses,
    });
    expect(decide(worldOf(["public"]), { ...explicit, ...strict })).toMatchObject({
      ...none,
      reason: "strict-no-private-address",
    });
    expect(decide(worldOf(["outside"]), { ...explicit, ...strict })).toMatchObject({
      ...none,
      reason: "private-endpoint-not-visible",
    });
    expect(decide(worldOf(["notFound"]), { ...explicit, allowGlobalFallback: true })).toMatchObject({
      ...none,
      reason: "name-not-found",
    });
  });

  test("outside Azure may be this machine or link", () => {
    const world = {
      gatheredAt: noon,
      nat64Prefixes: [],
      names: [nameEvidence("localhost", ["notFound"], systemSees("127.0.0.1", "::1"))],
    };
    for (const each of [{}, strict]) {
      expect(decide(world, { endpoint: "localhost", ...each })).toMatchObject({
        kind: "explicit",
        host: "localhost",
        reason: "local-address",
        addresses: ["127.0.0.1", "::1"],
      });
    }
    const metadata = { ...world, names: [nameEvidence("dps.example", ["metadata"])] };
    expect(decide(metadata, { endpoint: "dps.example" })).toMatchObject({ ...none, reason: "implausible-address" });
  });

  test("that is global is obeyed, loudly when a private endpoint is known or remembered", () => {
    const global = { endpoint: "global" };
    const quiet = decide(worldOf(["public"]), global);
    expect(quiet).toMatchObject({ kind: "explicit", host: globalName, reason: "explicit-global", path: "public" });
    expect(codesOf(quiet)).toEqual([]);
    for (const [world, memory] of [
      [worldOf(["linked"]), emptyMemory],
      [worldOf(["outside"]), emptyMemory],
      [worldOf(["public"]), wasPrivate()],
    ] as const) {
      const loud = decide(world, global, memory);
      expect(loud).toMatchObject({ kind: "explicit", host: globalName });
      expect(codesOf(loud)).toContain("global-despite-private");
    }
  });
});

describe("a proxy that looks names up itself", () => {
  test("row 6: makes the local view void: the service, by name, never the global endpoint", () => {
    for (const seen of ["public", "silent", "notFound", "loopback"] as const) {
      const decision = decide(worldOf([seen], behindProxy()), { allowGlobalFallback: true });
      expect(decision).toMatchObject({ ...service, reason: "proxied", path: "unknown", proxy: "allowed" });
      expect(decision.addresses).toBeUndefined();
      expect(codesOf(decision)).toContain("proxy-resolves-names");
    }
  });

  test("row 6: advises NO_PROXY with the public suffix when the local view is private", () => {
    const { warnings } = decide(worldOf(["linked"], behindProxy()));
    const advice = warnings.find(({ code }) => code === "proxy-hides-private-endpoint");
    expect(advice?.text).toContain("10.20.0.5");
    expect(advice?.remedy).toContain(".azure-devices-provisioning.net to NO_PROXY");
  });

  test("is not used when only a private path will do: direct and pinned, or not at all", () => {
    const decision = decide(worldOf(["linked"], behindProxy()), strict);
    expect(decision).toMatchObject({
      ...service,
      reason: "private-endpoint",
      addresses: ["10.20.0.5"],
      proxy: "never",
    });
    expect(codesOf(decision)).toContain("proxy-bypassed");
    expect(decide(worldOf(["public"], behindProxy()), strict)).toMatchObject({
      ...none,
      reason: "strict-no-private-address",
    });
  });

  test("is not used for a path that was private before and still is", () => {
    expect(decide(worldOf(["linked"], behindProxy()), {}, wasPrivate())).toMatchObject({
      addresses: ["10.20.0.5"],
      proxy: "never",
    });
    expect(decide(worldOf(["public"], behindProxy()), {}, wasPrivate())).toMatchObject({
      ...service,
      reason: "private-downgrade",
      proxy: "allowed",
    });
  });

  test("carries the global endpoint when nothing else is known", () => {
    const world = { gatheredAt: noon, nat64Prefixes: [], names: [nameEvidence(globalName, ["silent"], behindProxy())] };
    const decision = decideEndpoint(namelessSettings(), world, emptyMemory);
    expect(decision).toMatchObject({ kind: "global", reason: "no-dps-name", path: "unknown", proxy: "allowed" });
    expect(decision.addresses).toBeUndefined();
  });

  test("that takes addresses keeps the pin, outside strictness", () => {
    const socks = behindProxy({ resolvesNames: false });
    expect(decide(worldOf(["linked"], socks))).toMatchObject({ addresses: ["10.20.0.5"], proxy: "allowed" });
    expect(decide(worldOf(["linked"], socks), strict)).toMatchObject({ addresses: ["10.20.0.5"], proxy: "never" });
  });
});

describe("a connect_to rule", () => {
  const leading = (host: string) => ({ connectTo: { rule: `${dpsHost}::${host}:`, host } });

  test("stands above DNS", () => {
    const decision = decide(worldOf(["silent"], leading("127.0.0.1")));
    expect(decision).toMatchObject({ ...service, reason: "connect-to", path: "unknown" });
    expect(decision.addresses).toBeUndefined();
  });

  test("has to lead to a private address when only a private path will do", () => {
    for (const host of ["127.0.0.1", "10.1.2.3", "[fd00::5]", "[::1]"]) {
      expect(decide(worldOf(["public"], leading(host)), strict)).toMatchObject({
        ...service,
        reason: "connect-to",
        proxy: "never",
      });
    }
    for (const host of ["20.42.0.10", "gateway.example", "169.254.169.254"]) {
      expect(decide(worldOf(["linked"], leading(host)), strict)).toMatchObject({
        ...none,
        reason: "connect-to-forbidden-by-strict",
      });
    }
  });

  test("does not bring a forbidden global endpoint back", () => {
    const world = { ...worldOf([]), names: [{ ...nameEvidence(globalName, []), ...leading("127.0.0.1") }] };
    expect(decideEndpoint(namelessSettings(strict), world, emptyMemory)).toMatchObject(none);
    expect(decideEndpoint(namelessSettings(), world, { sightings: [], damaged: true })).toMatchObject(none);
    expect(decideEndpoint(namelessSettings(), world, emptyMemory)).toMatchObject({
      kind: "global",
      reason: "connect-to",
    });
  });
});

describe("NAT64", () => {
  const ipv6Only = (address: string) => [{}, { addresses: [{ address, ttl: 60 }] }] as const;

  test("a public address behind a unique local prefix is public, discovered or not", () => {
    for (const nat64Prefixes of [[], ["fd00:64::/96"]]) {
      const world = { ...worldOf([ipv6Only("fd00:64::142a:a")]), nat64Prefixes };
      expect(decide(world, strict)).toMatchObject(none);
      expect(decide(world)).toMatchObject({
        ...service,
        reason: "evidence-incomplete",
        path: "public",
        addresses: ["fd00:64::142a:a"],
      });
    }
  });

  test("a prefix that DNS made up lends no trust to the public IPv6 addresses in it", () => {
    const linked = { chain: [dpsInZone], terminalOwner: dpsInZone };
    const view = [
      { ...linked, addresses: [{ address: "10.20.0.5", ttl: 60 }] },
      { ...linked, addresses: [{ address: "2600:1234::a14:5", ttl: 60 }] },
    ] as const;
    const world = { ...worldOf([view]), nat64Prefixes: ["2600:1234::/96"] };
    expect(decide(world, strict)).toMatchObject({ ...service, path: "private", addresses: ["10.20.0.5"] });
  });

  test("translations of other private addresses than the vetted ones are not dialled", () => {
    const guess = [{ addresses: [{ address: "10.20.0.5", ttl: 60 }] }, ipv6Only("64:ff9b::c0a8:101")[1]] as const;
    expect(decide(worldOf([guess]), strict)).toMatchObject({ addresses: ["10.20.0.5"] });
  });

  test("a prefix that DNS made up does not turn a public IPv6 address private", () => {
    const world = { ...worldOf([ipv6Only("2600:1234::a14:5")]), nat64Prefixes: ["2600:1234::/96"] };
    expect(decide(world, strict)).toMatchObject(none);
  });
});
