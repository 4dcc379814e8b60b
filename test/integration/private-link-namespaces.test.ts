import { describe, expect, test } from "vitest";
import { NamespaceLab, whatNamespacesLack } from "../support/namespace-lab.ts";
import { sceneHosts } from "../support/private-link-device.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";

const folder = new ScratchFolder();
const { dps, hub } = sceneHosts;
const lack = whatNamespacesLack();
const isLeftOut = lack !== undefined && process.env.CI !== "true";
const without = isLeftOut ? ` (left out here: ${lack})` : "";

describe.skipIf(isLeftOut)(`in real network namespaces, with nothing configured that leads anywhere${without}`, () => {
  test("there are such namespaces here", () => {
    expect(lack).toBeUndefined();
  });

  test("the private path works by the system's own resolver and routes", async () => {
    await using lab = await NamespaceLab.open(folder);
    // Public addresses are there, and would answer.
    await lab.filter("ip daddr 20.42.0.0/24 counter drop");
    const explained = await lab.landfall(["endpoint", "--json"]);
    expect(JSON.parse(explained.out)).toMatchObject({
      decision: { host: dps, path: "private", reason: "private-endpoint", addresses: [lab.address] },
      evidence: { names: [{ host: dps, servers: ["168.63.129.16:53"], system: { status: "answered" } }, {}] },
    });
    const provisioned = await lab.landfall(["provision", "--json"]);
    expect(provisioned).toMatchObject({ code: 0 });
    expect(provisioned.out).toContain(hub);
    const after = await lab.landfall(["endpoint", "--json"]);
    expect(JSON.parse(after.out)).toMatchObject({ memory: { sightings: [{ host: dps, addresses: [lab.address] }] } });
  });

  test("a name that turns public between decision and dial does not move the dial", async () => {
    await using lab = await NamespaceLab.open(folder);
    await lab.filter("ip daddr 20.42.0.0/24 drop");
    // The decision asks for A and AAAA, itself and by the system's resolver.
    await lab.names({ flip: { afterQueries: 4, name: dps, to: { view: "internet" } } });
    expect(await lab.landfall(["provision", "--json"])).toMatchObject({ code: 0 });
    const { out } = await lab.landfall(["endpoint", "--json"]);
    expect(JSON.parse(out)).toMatchObject({ decision: { host: dps, path: "public", reason: "private-downgrade" } });
  });

  test("a record that is missing leads nowhere", async () => {
    await using lab = await NamespaceLab.open(folder);
    await lab.record(null);
    const { code, out } = await lab.landfall(["endpoint", "--json"], { allow_global_fallback: true });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ decision: { kind: "none", reason: "private-zone-missing-record" } });
  });

  test.each([
    ["drops", "drop", "endpoint.connect-timeout", "17s"],
    ["turns away with RST", "reject with tcp reset", "endpoint.connect-failed", "10s"],
    ["turns away by ICMP", "reject with icmp type admin-prohibited", "endpoint.connect-failed", "10s"],
  ])("a packet filter that %s: its own code, and nothing is remembered", async (_, verdict, code, timeout) => {
    await using lab = await NamespaceLab.open(folder);
    await lab.filter(`ip daddr ${lab.address} tcp dport 8883 ${verdict}`);
    const ended = await lab.landfall(["provision", "--json"], { timeout });
    expect(ended.code).toBe(1);
    expect(ended.out + ended.err).toContain(code);
    const { out } = await lab.landfall(["endpoint", "--json"]);
    expect(JSON.parse(out)).toMatchObject({ memory: { sightings: [] } });
  });

  test("an address of the own subnet that nobody has: EHOSTUNREACH", async () => {
    await using lab = await NamespaceLab.open(folder);
    await lab.record("10.20.0.77");
    const ended = await lab.landfall(["provision", "--json"], { timeout: "10s" });
    expect(ended.code).toBe(1);
    expect(ended.out + ended.err).toMatch(
      /endpoint\.connect-failed.*EHOSTUNREACH|EHOSTUNREACH.*endpoint\.connect-failed/s,
    );
  });

  test("no route to the virtual network: ENETUNREACH", async () => {
    await using lab = await NamespaceLab.open(folder);
    await lab.removeRoute(lab.address);
    const ended = await lab.landfall(["provision", "--json"], { timeout: "10s" });
    expect(ended.code).toBe(1);
    expect(ended.out + ended.err).toMatch(
      /endpoint\.connect-failed.*ENETUNREACH|ENETUNREACH.*endpoint\.connect-failed/s,
    );
  });
});
