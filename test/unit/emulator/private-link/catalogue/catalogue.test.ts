import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { failureCatalogue, stagedRows } from "../../../../../src/emulator/private-link/catalogue/catalogue.ts";
import { describeRow } from "../../../../../src/emulator/private-link/catalogue/describe-row.ts";
import type { DnsSight, Sight } from "../../../../../src/emulator/private-link/catalogue/row.ts";
import { type OpenStage, openStage, stage } from "../../../../../src/emulator/private-link/catalogue/stage.ts";
import { unstagedFailures } from "../../../../../src/emulator/private-link/catalogue/unstaged-failures.ts";
import { resourceKinds } from "../../../../../src/emulator/private-link/resources/service-names.ts";
import { knock, loopbackPort, type Seen, StubServices } from "../stub-services.ts";
import { observe } from "./observe.ts";

let services: StubServices;
const open: OpenStage[] = [];
beforeAll(async () => {
  services = await StubServices.open();
});
afterAll(() => services.close());
afterEach(async () => {
  for (const { world } of open.splice(0)) await world.close();
});

const cases = stagedRows.flatMap(({ id, kinds }) => kinds.map((kind) => ({ id, kind })));

/** What the row says that TCP does, told from what a client saw; paths that stay silent are taken from the model. */
async function tcpOf({ place }: OpenStage, address: string, { port }: Sight): Promise<Sight["tcp"]> {
  const outcome = place.pathTo(address, port);
  if (outcome === "dropped" || outcome === "silent") return outcome;
  const seen: Seen = await knock(loopbackPort(place.connectTo, address, port));
  if (typeof seen === "string") return seen;
  return seen.service === "stranger" ? "stranger" : "carried";
}

function applicationOf({ world, scene }: OpenStage, { host }: Sight, arrivedAt: string): Sight["application"] {
  const idScope = scene.resource("dps").idScope;
  const admission = world.admit({ serverName: host, arrival: { address: arrivedAt, from: "91.12.33.7" }, idScope });
  if (admission?.carried !== true) return "none";
  return admission.refusal === undefined ? "answers" : "refuses";
}

describe("every row of the catalogue", () => {
  test.each(cases)("$id shows what it says, for a $kind", async ({ id, kind }) => {
    const staged = await openStage(id, { kind, upstreams: services.upstreams });
    open.push(staged);
    services.world = staged.world;
    expect(staged.sights.length).toBeGreaterThan(0);
    for (const sight of staged.sights) {
      const dns: DnsSight[] = [];
      let address: string | undefined;
      for (const server of staged.place.nameServers.keys()) {
        const seen = await observe(staged, sight.host, server);
        dns.push(seen.sight);
        address ??= seen.addresses[0];
      }
      const tcp = address === undefined ? "not-reached" : await tcpOf(staged, address, sight);
      const application = tcp === "carried" && address !== undefined ? applicationOf(staged, sight, address) : "none";
      expect({ ...sight, dns, tcp, application }).toEqual(sight);
    }
  });
});

describe("the catalogue", () => {
  test("has one row for each name, staged or not", () => {
    const ids = [...stagedRows, ...unstagedFailures].map(({ id }) => id);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
    for (const id of ids) expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
  });

  test("stages failures for every kind of resource", () => {
    for (const kind of resourceKinds) {
      expect(failureCatalogue.filter(({ kinds }) => kinds.includes(kind)).length).toBeGreaterThan(10);
    }
  });

  test("can be told in words, row by row", () => {
    const told = stagedRows.map(describeRow);
    for (const description of told) expect(Object.values(description).every((words) => words.length > 0)).toBe(true);
    expect(told.find(({ id }) => id === "servers-disagree")).toEqual({
      id: "servers-disagree",
      cause: "The first name server sees the virtual network, the second the internet",
      services: "Device Provisioning Service",
      dns: "privatelink alias, private address; privatelink alias, public address",
      tcp: "connects",
      application: "answers",
      basis: "seen in a lab",
    });
  });

  test("takes the names of the resources from whoever stages it", () => {
    const { sights, scene } = stage("zone-not-linked", { names: { dps: "contoso", idScope: "0ne00000042" } });
    expect(sights[0]?.host).toBe("contoso.azure-devices-provisioning.net");
    expect(scene.estate.dpsOfScope("0ne00000042")?.name).toBe("contoso");
  });

  test("refuses a row that it does not have, and a kind that a row is not for", () => {
    expect(() => stage("nobody-knows")).toThrow(/no row of the catalogue is called "nobody-knows"/);
    expect(() => stage("ip-filter", { kind: "digital-twins" })).toThrow(/for digital-twins; expected one of dps, hub/);
  });
});
