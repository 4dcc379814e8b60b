import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type PathOutcome,
  type PathRule,
  type PlaceKind,
  pathTo,
  type Standpoint,
} from "../../../../../src/emulator/private-link/network/path.ts";
import { Estate } from "../../../../../src/emulator/private-link/resources/estate.ts";

function scene(addressSpace?: string) {
  const estate = new Estate();
  const network = estate.network("plant", addressSpace);
  const dps = estate.create("dps", "mydps");
  const endpoint = estate.connect(dps, network);
  return { estate, network, dps, endpoint, publicAddress: dps.host().publicAddress };
}

const standing = (kind: PlaceKind, changes: Partial<Standpoint> = {}): Standpoint => ({
  kind,
  lineUp: true,
  rules: [],
  unapproved: "dropped",
  ...changes,
});

describe("the path to a private endpoint", () => {
  test.each<[string, Standpoint, PathOutcome]>([
    ["inside the network", standing("vnet"), "carried"],
    ["from a site with a line", standing("on-premises"), "carried"],
    ["from a site whose line is down", standing("on-premises", { lineUp: false }), "dropped"],
    ["from the internet", standing("public"), "dropped"],
  ])("%s", (_where, standpoint, outcome) => {
    const { estate, endpoint } = scene();
    expect(pathTo(estate, standpoint, endpoint.addressOf(), 8883)).toBe(outcome);
  });

  test("is the same in a network with public addresses", () => {
    const { estate, endpoint } = scene("20.60.0.0/24");
    expect(endpoint.addressOf()).toBe("20.60.0.5");
    expect(pathTo(estate, standing("vnet"), "20.60.0.5", 8883)).toBe("carried");
    expect(pathTo(estate, standing("public"), "20.60.0.5", 8883)).toBe("dropped");
  });

  test("ends where the owner has not approved, in the way that is chosen", () => {
    const { estate, endpoint } = scene();
    endpoint.connection.reject();
    expect(pathTo(estate, standing("vnet"), endpoint.addressOf(), 8883)).toBe("dropped");
    expect(pathTo(estate, standing("vnet", { unapproved: "refused" }), endpoint.addressOf(), 8883)).toBe("refused");
  });

  test("ends at ports on which the service does not answer", () => {
    const { estate, endpoint } = scene();
    expect(pathTo(estate, standing("vnet"), endpoint.addressOf(), 22)).toBe("dropped");
  });

  test("leads, once it is deleted, to nothing or to whoever has the address now", () => {
    const { estate, endpoint, network } = scene();
    const address = endpoint.addressOf();
    endpoint.delete();
    const seen = () => pathTo(estate, standing("vnet"), address, 8883);
    expect(seen()).toBe("dropped");
    network.settle(address, "refuses");
    expect(seen()).toBe("refused");
    network.settle(address, "answers");
    expect(seen()).toBe("stranger");
  });
});

describe("the path to a public address", () => {
  test("is open from everywhere to those that exist, the global endpoint's among them", () => {
    const { estate, publicAddress } = scene();
    for (const kind of ["vnet", "on-premises", "public"] as const) {
      expect(pathTo(estate, standing(kind), publicAddress, 443)).toBe("carried");
      expect(pathTo(estate, standing(kind), "20.42.0.20", 8883)).toBe("carried");
      expect(pathTo(estate, standing(kind), "20.99.0.1", 8883)).toBe("dropped");
    }
  });
});

describe("a rule on the way", () => {
  test.each<[string, PathRule, PathOutcome, PathOutcome]>([
    ["for every address and port", { outcome: "reset" }, "reset", "reset"],
    ["for private addresses", { to: "private", outcome: "dropped" }, "dropped", "carried"],
    ["for public addresses", { to: "public", outcome: "silent" }, "carried", "silent"],
    ["for one address", { to: "10.20.0.5", outcome: "closed" }, "closed", "carried"],
    ["for another port", { port: 443, outcome: "dropped" }, "carried", "carried"],
  ])("%s", (_which, rule, toPrivate, toPublic) => {
    const { estate, endpoint, publicAddress } = scene();
    const standpoint = standing("vnet", { rules: [rule] });
    expect(pathTo(estate, standpoint, endpoint.addressOf(), 8883)).toBe(toPrivate);
    expect(pathTo(estate, standpoint, publicAddress, 8883)).toBe(toPublic);
  });

  test("that comes first decides", () => {
    const { estate, endpoint } = scene();
    const rules: PathRule[] = [
      { port: 8883, outcome: "carried" },
      { to: "private", outcome: "dropped" },
    ];
    expect(pathTo(estate, standing("vnet", { rules }), endpoint.addressOf(), 8883)).toBe("carried");
    expect(pathTo(estate, standing("vnet", { rules }), endpoint.addressOf(), 443)).toBe("dropped");
  });
});

test("no path leads from the internet into a virtual network, nor through an endpoint that is not approved", () => {
  const action = fc.constantFrom("approve" as const, "reject" as const, "remove" as const);
  const kinds = fc.constantFrom<PlaceKind>("vnet", "on-premises", "public");
  fc.assert(
    fc.property(
      fc.array(action),
      kinds,
      fc.boolean(),
      fc.constantFrom(443, 8883, 22),
      (actions, kind, lineUp, port) => {
        const { estate, endpoint } = scene();
        for (const each of actions) if (endpoint.connection.status !== "Disconnected") endpoint.connection[each]();
        const outcome = pathTo(estate, standing(kind, { lineUp }), endpoint.addressOf(), port);
        const open = endpoint.connection.status === "Approved" && port !== 22 && kind !== "public";
        expect(outcome).toBe(open && (kind === "vnet" || lineUp) ? "carried" : "dropped");
      },
    ),
  );
});
