import { describe, expect, test } from "vitest";
import { type AssignedHub, candidateHubHosts, decideHub } from "../../../src/endpoint/decision.ts";
import type { EndpointDecision } from "../../../src/endpoint/endpoint-decision.ts";
import type { EndpointSettings } from "../../../src/endpoint/endpoint-settings.ts";
import type { NameEvidence } from "../../../src/endpoint/evidence.ts";
import { emptyMemory, type NetworkMemory, withSighting } from "../../../src/endpoint/network-memory.ts";
import { routeOf } from "../../../src/endpoint/route-of.ts";
import {
  behindProxy,
  dpsHost,
  hour,
  hubHost,
  nameEvidence,
  noon,
  settingsOf,
  systemSees,
  type ViewName,
} from "../../support/endpoint-world.ts";

const privateDps = { host: dpsHost, path: "private" } as const;

function decide(
  seen: readonly ViewName[],
  settings: Partial<EndpointSettings> = {},
  hub: Partial<AssignedHub> = {},
  more: Partial<NameEvidence> = {},
  memory: NetworkMemory = emptyMemory,
): EndpointDecision {
  const assigned = { host: hubHost, dps: privateDps, ...hub };
  const names = [nameEvidence(assigned.host.toLowerCase(), seen, more)];
  return decideHub(settingsOf(settings), assigned, { gatheredAt: noon, names, nat64Prefixes: [] }, memory);
}
const codesOf = ({ warnings }: EndpointDecision): string[] => warnings.map(({ code }) => code);
const none = { kind: "none", path: "unknown" };

describe("the name of an assigned hub", () => {
  test("may have any labels before the hub suffix", () => {
    for (const host of [hubHost, "contoso-hub.device.azure-devices.net", "CONTOSO-HUB.azure-devices.net"]) {
      expect(decide(["linked"], {}, { host })).toMatchObject({
        kind: "hub",
        host: host.toLowerCase(),
        path: "private",
      });
      expect(candidateHubHosts(settingsOf(), { host, dps: privateDps })).toEqual([host.toLowerCase()]);
    }
  });

  test.each([
    ["10.0.0.5", "hub-name-invalid"],
    ["127.1", "hub-name-invalid"],
    ["evil host", "hub-name-invalid"],
    ["", "hub-name-invalid"],
    ["contoso.privatelink.azure-devices.net", "hub-name-invalid"],
    ["contoso.azure-devices.us", "cross-cloud"],
    ["contoso.azure-devices.cn", "cross-cloud"],
    ["contoso.example.net", "hub-outside-azure"],
    ["azure-devices.net", "hub-outside-azure"],
    ["contoso.azure-devices.net.example.org", "hub-outside-azure"],
    [dpsHost, "hub-outside-azure"],
    ["localhost", "hub-outside-azure"],
  ])("%j is refused before anything is looked up", (host, reason) => {
    expect(decide(["linked"], {}, { host })).toMatchObject({ ...none, reason, retryable: false });
    expect(candidateHubHosts(settingsOf(), { host, dps: privateDps })).toEqual([]);
  });

  test("of another cloud is refused with the documented reason", () => {
    const decision = decide(["linked"], {}, { host: "contoso.azure-devices.us" });
    expect(decision.text).toMatch(
      /Azure US Government.*Azure public.*do not work when the two are in different clouds/,
    );
    expect(() => routeOf(decision)).toThrow(expect.objectContaining({ code: "endpoint.cross-cloud", retry: "never" }));
  });

  test("cannot steer the terminal that it is printed on", () => {
    const { text } = decide([], {}, { host: "\u001b]0;owned\u0007.azure-devices.net" });
    expect(text).toContain('"\\u{1b}]0;owned\\u{7}.azure-devices.net"');
  });

  test("may lie outside Azure when the DPS does, or when there is none", () => {
    const localhost = systemSees("127.0.0.1");
    const emulated = { host: "localhost", dps: { host: "dps.example", path: "private" } } as const;
    expect(decide(["notFound"], {}, emulated, localhost)).toMatchObject({
      kind: "hub",
      reason: "local-address",
      addresses: ["127.0.0.1"],
    });
    const byHand = decideHub(
      settingsOf(),
      { host: "hub.example" },
      { gatheredAt: noon, names: [nameEvidence("hub.example", ["public"])], nat64Prefixes: [] },
      emptyMemory,
    );
    expect(byHand).toMatchObject({ kind: "hub", reason: "hub-public", addresses: ["20.42.0.10"] });
  });
});

describe("the path to an assigned hub", () => {
  test("is pinned, private or public", () => {
    expect(decide(["linked"])).toMatchObject({
      kind: "hub",
      reason: "private-endpoint",
      addresses: ["10.20.0.5"],
      warnings: [],
    });
    expect(decide(["public"], {}, { dps: { host: dpsHost, path: "public" } })).toMatchObject({
      kind: "hub",
      reason: "hub-public",
      path: "public",
      addresses: ["20.42.0.10"],
      warnings: [],
    });
  });

  test("that is public behind a private DPS is reported, and refused when only a private path will do", () => {
    for (const seen of ["public", "outside", "zoneWithPublicRange"] as const) {
      const decision = decide([seen]);
      expect(decision).toMatchObject({ kind: "hub", path: "public" });
      expect(codesOf(decision)).toContain("hub-not-private");
      const refused = decide([seen], { network: "private" });
      expect(refused).toMatchObject(none);
      expect(codesOf(refused)).toContain("hub-not-private");
    }
  });

  test("does not fall under data residency: the hub is where it is", () => {
    expect(decide(["public"], { dataResidency: "strict" })).toMatchObject({ kind: "hub", path: "public" });
  });

  test("is remembered by the hub's own name, apart from the DPS", () => {
    const memory = withSighting(emptyMemory, { role: "hub", host: hubHost }, "10.20.0.5", noon - hour);
    expect(decide(["silent"], { network: "private" }, {}, {}, memory)).toMatchObject({
      reason: "last-good-address",
      addresses: ["10.20.0.5"],
    });
    expect(decide(["public"], {}, {}, {}, memory)).toMatchObject({ reason: "private-downgrade", path: "public" });
    const other = withSighting(
      emptyMemory,
      { role: "dps", host: dpsHost, idScope: settingsOf().idScope },
      "10.20.0.5",
      noon - hour,
    );
    expect(decide(["public"], {}, {}, {}, other)).toMatchObject({ reason: "hub-public" });
  });

  test("leads through a proxy that resolves names, unless only a private path will do", () => {
    expect(decide(["linked"], {}, {}, behindProxy())).toMatchObject({
      reason: "proxied",
      proxy: "allowed",
      path: "unknown",
    });
    expect(decide(["linked"], { network: "private" }, {}, behindProxy())).toMatchObject({
      addresses: ["10.20.0.5"],
      proxy: "never",
    });
  });
});
