import { describe, expect, test } from "vitest";
import type { DnsQuery } from "../../../src/endpoint/dns-query.ts";
import { EndpointFinder } from "../../../src/endpoint/endpoint-finder.ts";
import type { EndpointSettings } from "../../../src/endpoint/endpoint-settings.ts";
import { formatNameServer } from "../../../src/endpoint/name-server.ts";
import { NetworkMemoryStore } from "../../../src/endpoint/network-memory-store.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import {
  dpsHost,
  globalName,
  hubHost,
  nameEvidence,
  namelessSettings,
  settingsOf,
  type ViewName,
} from "../../support/endpoint-world.ts";

/** A finder in a world where one name server sees every name in the same way, until that changes. */
function finderIn(world: { view: ViewName; text?: string }, settings: EndpointSettings = settingsOf()) {
  const asked = new Set<string>();
  const written: string[] = [];
  const clock = new FakeClock();
  const query: DnsQuery = async (server, { name, type }) => {
    asked.add(name);
    const answers = nameEvidence(name, [world.view]).answers;
    const answer = answers.find((each) => each.type === type);
    if (answer === undefined) throw new Error("no answer");
    return { ...answer, server: formatNameServer(server) };
  };
  const store = {
    read: async () => world.text,
    write: async (text: string) => {
      written.push(text);
      world.text = text;
    },
  };
  const sources = async () => ({ nameServers: [{ address: "10.0.0.1", port: 53 }], query, hosts: [], clock });
  const finder = new EndpointFinder({ settings, sources, memory: new NetworkMemoryStore(store), clock });
  return { finder, asked, written, clock };
}
const manner = { port: 8883, proxy: "never" } as const;

describe("an endpoint finder", () => {
  test("asks about the names that may be dialled, and no others", async () => {
    const { finder, asked } = finderIn({ view: "linked" });
    expect((await finder.dps(manner)).decision).toMatchObject({ host: dpsHost, addresses: ["10.20.0.5"] });
    expect([...asked]).toEqual(["ipv4only.arpa", dpsHost, globalName]);
  });

  test("remembers a private path only when TLS was verified there, and holds to it from then on", async () => {
    const world: { view: ViewName } = { view: "linked" };
    const { finder, written } = finderIn(world);
    await finder.dps(manner);
    expect(written).toEqual([]);
    await finder.verified(dpsHost, "10.66.0.66");
    expect(written).toEqual([]);
    await finder.verified(dpsHost, "10.20.0.5");
    await finder.verified(dpsHost, "10.20.0.5");
    expect(written).toHaveLength(1);
    world.view = "public";
    expect((await finder.dps(manner)).decision).toMatchObject({ kind: "service", reason: "private-downgrade" });
    world.view = "silent";
    expect((await finder.dps(manner)).decision).toMatchObject({
      reason: "last-good-address",
      addresses: ["10.20.0.5"],
    });
  });

  test("writes nothing on a public path, so that a damaged memory is known to mean something", async () => {
    const { finder, written } = finderIn({ view: "public" });
    const { decision } = await finder.dps(manner);
    expect(decision).toMatchObject({ kind: "global" });
    for (const address of decision.addresses ?? []) await finder.verified(globalName, address);
    expect(written).toEqual([]);
  });

  test("knows the cloud of DPS also for a hub out of a stored assignment, and looks no foreign name up", async () => {
    const { finder, asked } = finderIn({ view: "linked" });
    const hub = async (host: string) => (await finder.hub(host, manner)).decision;
    expect(await hub("contoso.azure-devices.us")).toMatchObject({ kind: "none", reason: "cross-cloud" });
    expect(await hub("hub.example")).toMatchObject({ kind: "none", reason: "hub-outside-azure" });
    expect([...asked]).toEqual([]);
    expect(await hub(hubHost)).toMatchObject({ kind: "hub", addresses: ["10.20.0.5"] });
  });

  test("finds services of other kinds without regard to DPS", async () => {
    const { finder } = finderIn({ view: "linked" });
    await finder.dps(manner);
    const { decision } = await finder.named("contoso.api.adu.microsoft.com", { ...manner, port: 443 });
    expect(decision).toMatchObject({ host: "contoso.api.adu.microsoft.com", addresses: ["10.20.0.5"], warnings: [] });
  });

  test("takes a hub that was given by hand as it is", async () => {
    const { finder } = finderIn({ view: "public" }, namelessSettings({ idScope: "" }));
    expect((await finder.hub("hub.example", manner)).decision).toMatchObject({ kind: "hub", reason: "hub-public" });
  });
});
