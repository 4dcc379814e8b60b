import { describe, expect, test } from "vitest";
import { decideEndpoint } from "../../../src/endpoint/decision.ts";
import { type EndpointSettings, endpointFaults } from "../../../src/endpoint/endpoint-settings.ts";
import type { EndpointEvidence } from "../../../src/endpoint/evidence.ts";
import { type ExplainedDecision, explainJson, explainLines } from "../../../src/endpoint/explain.ts";
import { emptyMemory, type NetworkMemory } from "../../../src/endpoint/network-memory.ts";
import { reasons } from "../../../src/endpoint/reasons.ts";
import { routeOf } from "../../../src/endpoint/route-of.ts";
import { warnings } from "../../../src/endpoint/warnings.ts";
import {
  behindProxy,
  dpsHost,
  dpsInZone,
  hostsLine,
  namelessSettings,
  settingsOf,
  systemSees,
  wasPrivate,
  worldOf,
} from "../../support/endpoint-world.ts";

const explained = (
  evidence: EndpointEvidence,
  settings: EndpointSettings = settingsOf(),
  memory: NetworkMemory = emptyMemory,
): ExplainedDecision => ({
  settings,
  evidence,
  memory,
  decision: decideEndpoint(settings, evidence, memory),
});

describe("a decision in words", () => {
  test("says what is dialled, why, and shows every piece of evidence", () => {
    const lines = explainLines(
      explained(worldOf(["linked", "silent"], systemSees("10.20.0.5")), settingsOf(), wasPrivate()),
    );
    expect(lines.slice(0, 4)).toEqual([
      `Dial ${dpsHost} (service endpoint).`,
      "  Pinned to 10.20.0.5; no other address is dialled.",
      `Why: A private endpoint is active here: ${dpsInZone} has the private address 10.20.0.5.`,
      "  private-endpoint, row 7",
    ]);
    const text = lines.join("\n");
    expect(text).toContain(`10.0.0.1:53 A: -> ${dpsInZone} = 10.20.0.5 (private, RFC 1918) ttl 60`);
    expect(text).toContain("10.0.0.2:53 A: [timeout]");
    expect(text).toContain("the system's resolver: 10.20.0.5 (private, RFC 1918)");
    expect(text).toContain(`${dpsHost} was reached over a private path from`);
    expect(text).toContain("Warning (answers-missing):");
  });

  test("speaks of no name server where a rule leads elsewhere and nobody was asked", () => {
    const connectTo = { rule: "::127.0.0.1:", host: "127.0.0.1" };
    const lines = explainLines(explained(worldOf([], { connectTo, system: { status: "not-asked" } })));
    const known = lines.indexOf(`What is known of ${dpsHost}:`);
    expect(lines.slice(known, known + 3)).toEqual([
      `What is known of ${dpsHost}:`,
      '  connect_to "::127.0.0.1:" leads to 127.0.0.1',
      "",
    ]);
    expect(lines.join("\n")).not.toContain("Warning");
  });

  test("says what stands in the way when nothing is dialled, and whom to ask", () => {
    const text = explainLines(
      explained(worldOf(["missingRecord"], { ...hostsLine("nonsense"), ...behindProxy({ resolvesNames: false }) })),
    ).join("\n");
    expect(text).toMatch(/^Nothing is dialled\.\n {2}The agent tries again\./);
    expect(text).toContain("Do: Ask the owner of the virtual network to create the A record `contoso`");
    expect(text).toContain("NXDOMAIN (zone privatelink.azure-devices-provisioning.net, from azureprivatedns.net)");
    expect(text).toContain("/etc/hosts:3: nonsense");
    expect(text).toContain("proxy http://proxy:3128 (HTTPS_PROXY)");
  });

  test("says that nothing is pinned behind a proxy", () => {
    expect(explainLines(explained(worldOf(["public"], behindProxy())))[1]).toMatch(/Not pinned: whoever carries/);
  });

  test("is plain text, one line each", () => {
    for (const seen of ["linked", "outside", "shadowed", "loop"] as const) {
      for (const line of explainLines(explained(worldOf([seen])))) expect(line).toMatch(/^[\x20-\x7e]*$/);
    }
  });
});

describe("a decision as JSON", () => {
  test("has a schema, the decision, and everything it was made from", () => {
    const json = JSON.parse(
      JSON.stringify(explainJson(explained(worldOf(["missingRecord"]), settingsOf({ network: "private" })))),
    );
    expect(json).toMatchObject({
      schema: "landfall.endpoint/1",
      strict: true,
      decision: {
        kind: "none",
        host: null,
        addresses: null,
        reason: "private-zone-missing-record",
        row: "10",
        retryable: true,
      },
      evidence: { names: [{ host: dpsHost, answers: [{ rcode: "NXDOMAIN" }, { rcode: "NXDOMAIN" }] }, {}] },
      memory: { damaged: false, sightings: [] },
    });
  });
});

describe("the way that a decision leads", () => {
  const routeIn = (evidence: EndpointEvidence, settings?: EndpointSettings) =>
    routeOf(explained(evidence, settings).decision);

  test("has the name, the addresses and whether a proxy may carry it", () => {
    expect(routeIn(worldOf(["linked"]))).toEqual({ host: dpsHost, addresses: ["10.20.0.5"], proxy: "never" });
    expect(routeIn(worldOf(["linked"], behindProxy()))).toEqual({ host: dpsHost });
  });

  test("is an error when nothing is dialled; one of a world that may change, or of settings that have to", () => {
    expect(() => routeIn(worldOf(["missingRecord"]))).toThrow(
      expect.objectContaining({
        code: "endpoint.no-safe-endpoint",
        retry: "backoff",
        message: expect.stringContaining("private-zone-missing-record"),
        details: expect.arrayContaining([expect.stringContaining("A record `contoso`")]),
      }),
    );
    expect(() => routeIn(worldOf([]), namelessSettings({ network: "private" }))).toThrow(
      expect.objectContaining({ code: "endpoint.settings-conflict", retry: "never" }),
    );
  });
});

describe("the texts", () => {
  test("are sentences, and every reason has a row of its own", () => {
    const all = [...Object.values(reasons), ...Object.values(warnings)];
    for (const each of all) expect(each.text).toMatch(/\.$/);
    const rows = Object.values(reasons).map(({ row }) => row);
    expect(rows.length - new Set(rows).size).toBe(0);
  });

  test('say "likely" where the real service was never seen to behave so', () => {
    const inferred = [
      "private-answer-stripped",
      "implausible-address",
      "overlay-address",
      "private-endpoint-not-visible",
      "service-requested",
      "memory-unreadable",
    ] as const;
    for (const code of inferred) expect(`${reasons[code].text} ${reasons[code].advice}`).toMatch(/likely/i);
  });
});

describe("settings", () => {
  const faultsOf = (more: Partial<EndpointSettings>): string[] =>
    endpointFaults(settingsOf(more)).map(({ setting }) => setting);

  test("without fault", () => {
    expect(endpointFaults(settingsOf({ network: "private", endpoint: "service" }))).toEqual([]);
    expect(faultsOf({ endpoint: dpsHost })).toEqual([]);
  });

  test("with faults report all of them, with the remedy", () => {
    expect(
      faultsOf({
        endpoint: "global",
        network: "private",
        allowGlobalFallback: true,
        privateCidrs: ["0.0.0.0/0"],
        dpsName: "global",
      }),
    ).toEqual(["dps_name", "endpoint", "allow_global_fallback", "private_cidrs"]);
    expect(endpointFaults(settingsOf({ endpoint: dpsInZone }))[0]?.message).toContain(`the public name ${dpsHost}`);
    expect(endpointFaults(settingsOf({ endpoint: "10.20.0.5" }))[0]?.message).toContain(
      "<name>.azure-devices-provisioning.net",
    );
    expect(faultsOf({ endpoint: "https://contoso" })).toEqual(["endpoint"]);
    expect(endpointFaults(settingsOf({ dpsName: dpsInZone }))[0]?.message).toContain("a name in the zone privatelink");
  });
});
