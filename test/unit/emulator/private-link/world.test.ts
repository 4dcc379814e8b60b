import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PrivateLinkWorld } from "../../../../src/emulator/private-link/world.ts";

let world: PrivateLinkWorld;
beforeEach(() => {
  world = new PrivateLinkWorld({ upstreams: { services: {} } });
});
afterEach(() => world.close());

const outside = { from: "91.12.33.7" };

describe("a world lets a caller in", () => {
  test("by the name that he asked for, in any spelling, and the address that he dialled", () => {
    const endpoint = world.privateEndpoint(world.hub("myhub"));
    const admit = (serverName: string, address: string) =>
      world.admit({ serverName, arrival: { address, ...outside } });
    expect(admit("myhub.azure-devices.net", endpoint.addressOf())).toEqual({ carried: true, path: "private" });
    expect(admit("MyHub.Azure-Devices.NET.", endpoint.addressOf())).toEqual({ carried: true, path: "private" });
    expect(admit("iothub-ns-myhub-5510.servicebus.windows.net", endpoint.addressOf("events"))).toEqual({
      carried: true,
      path: "private",
    });
  });

  test("not through an endpoint that was made for another resource", () => {
    world.hub("myhub");
    const endpoint = world.privateEndpoint(world.dps("mydps"));
    const arrival = { address: endpoint.addressOf(), ...outside };
    expect(world.admit({ serverName: "myhub.azure-devices.net", arrival })).toEqual({
      carried: false,
      because: "address-of-another",
    });
  });

  test("at the global endpoint, and refuses the scope of a DPS that is private only", () => {
    const dps = world.dps("mydps", { idScope: "0ne00000001", publicNetworkAccess: "disabled" });
    world.dps("open", { idScope: "0ne00000002" });
    const arrival = { address: "20.42.0.20", ...outside };
    const serverName = "global.azure-devices-provisioning.net";
    expect(world.admit({ serverName, arrival })).toEqual({ carried: true, path: "public" });
    expect(world.admit({ serverName, arrival, idScope: "0ne00000002" })).toEqual({ carried: true, path: "public" });
    expect(world.admit({ serverName, arrival, idScope: "0ne00000001" })).toMatchObject({
      carried: true,
      refusal: { kind: "unauthorized", connack: 5 },
    });
    dps.publicNetworkAccess = "enabled";
    expect(world.admit({ serverName, arrival, idScope: "0ne00000001" })).toEqual({ carried: true, path: "public" });
  });

  test("has nothing to say about names and scopes that are none of its own", () => {
    const arrival = { address: "20.42.0.20", ...outside };
    expect(world.admit({ serverName: "example.org", arrival })).toBeUndefined();
    const serverName = "global.azure-devices-provisioning.net";
    expect(world.admit({ serverName, arrival, idScope: "0ne99999999" })).toBeUndefined();
  });

  test("that came through none of its places, without an arrival", () => {
    expect(world.resolveArrival({ localPort: 8883, remotePort: 50_000 })).toBeUndefined();
  });
});

test("a world is built from code: every kind of resource, networks and zones", () => {
  const twins = world.digitalTwins("mytwins", { region: "weu" });
  const updates = world.deviceUpdate("myupdates", { privateZone: "privatelink.adu.microsoft.com" });
  const network = world.network("factory", "172.20.0.0/16");
  expect(world.privateEndpoint(twins, { network }).addresses).toEqual(["172.20.0.5"]);
  expect(world.privateEndpoint(updates, { network }).addresses).toEqual(["172.20.0.6"]);
  expect(world.zone("privatelink.adu.microsoft.com").find("myupdates.api.privatelink.adu.microsoft.com")).toEqual({
    a: ["172.20.0.6"],
  });
});
