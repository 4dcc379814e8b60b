import { describe, expect, test } from "vitest";
import { Estate } from "../../../../../src/emulator/private-link/resources/estate.ts";

const zoneName = "privatelink.azure-devices-provisioning.net";
const recordName = `mydps.${zoneName}`;

function scene() {
  const estate = new Estate();
  const dps = estate.create("dps", "mydps", { idScope: "0ne00000001" });
  const network = estate.network("plant");
  return { estate, dps, network, zone: estate.zone(zoneName) };
}

describe("a private endpoint", () => {
  test("takes an address of its network, and its record appears in the recommended zone, linked to that network", () => {
    const { estate, dps, network, zone } = scene();
    const endpoint = estate.connect(dps, network);
    expect(endpoint.addresses).toEqual(["10.20.0.5"]);
    expect(zone.find(recordName)).toEqual({ a: ["10.20.0.5"] });
    expect(network.isLinked(zone)).toBe(true);
  });

  test("of a hub has an address and a record for the Event Hubs-compatible endpoint too", () => {
    const { estate, network } = scene();
    const endpoint = estate.connect(estate.create("hub", "myhub"), network);
    expect([endpoint.addressOf("service"), endpoint.addressOf("events")]).toEqual(["10.20.0.5", "10.20.0.6"]);
    const events = estate.zone("privatelink.servicebus.windows.net");
    expect(events.find("iothub-ns-myhub-5510.privatelink.servicebus.windows.net")).toEqual({ a: ["10.20.0.6"] });
  });

  test("gets no record in a zone whose name is not the recommended one", () => {
    const { estate, dps, network, zone } = scene();
    const wrong = estate.zone("privatelink.azure-devices-provisioning.com");
    estate.connect(dps, network, { zones: [wrong] });
    expect([wrong.names, zone.names, network.links]).toEqual([[], [], []]);
  });

  test("takes its record along when it is deleted, and its successor has another address", () => {
    const { estate, dps, network, zone } = scene();
    estate.connect(dps, network).delete();
    expect(zone.names).toEqual([]);
    expect(dps.connections).toEqual([]);
    expect(estate.connect(dps, network).addresses).toEqual(["10.20.0.6"]);
  });

  test("deletes the record of a second one in the same zone with its own", () => {
    const { estate, dps, network, zone } = scene();
    const first = estate.connect(dps, network);
    estate.connect(dps, network);
    expect(zone.find(recordName)).toEqual({ a: ["10.20.0.6"] });
    first.delete();
    expect(zone.find(recordName)).toBeUndefined();
  });

  test("stays, with address and record, when the owner removes the connection", () => {
    const { estate, dps, network, zone } = scene();
    const endpoint = estate.connect(dps, network);
    dps.connections[0]?.remove();
    expect(endpoint.connection.status).toBe("Disconnected");
    expect(zone.find(recordName)).toEqual({ a: ["10.20.0.5"] });
  });

  test("is refused for a sub-resource that the resource does not have", () => {
    const { estate, dps, network } = scene();
    expect(() => estate.connect(dps, network, { subResource: "iotHub" })).toThrow(/sub-resource iotDps, not "iotHub"/);
    expect(estate.connect(dps, network, { subResource: "iotDps" }).connection.status).toBe("Approved");
  });
});

describe("a virtual network", () => {
  test("has addresses of its own range, and says when they are used up", () => {
    const { estate, dps } = scene();
    const small = estate.network("small", "10.99.0.0/28");
    expect(small.deviceAddress).toBe("10.99.0.4");
    const given = Array.from({ length: 10 }, () => small.allocate());
    expect([given[0], given.at(-1)]).toEqual(["10.99.0.5", "10.99.0.14"]);
    expect(() => estate.connect(dps, small)).toThrow(/small has no free address/);
  });

  test.each(["10.20.0.1/24", "10.20.0.0/30", "0.0.0.0/0", "fd00::/64", "plant"])(
    "cannot have the range %s",
    (range) => {
      expect(() => new Estate().network("plant", range)).toThrow(
        expect.objectContaining({ code: "emulator.rejected" }),
      );
    },
  );
});

describe("an estate", () => {
  test("finds a resource by any of its names, and a DPS by its id scope", () => {
    const { estate, dps } = scene();
    const hub = estate.create("hub", "myhub");
    expect(estate.resourceOf("mydps.azure-devices-provisioning.net")).toBe(dps);
    expect(estate.resourceOf("iothub-ns-myhub-5510.servicebus.windows.net")).toBe(hub);
    expect(estate.dpsOfScope("0ne00000001")).toBe(dps);
    expect(estate.dpsOfScope("0ne00000002")).toBeUndefined();
  });

  test("has the global device endpoint of every cloud in use", () => {
    const { estate } = scene();
    expect(estate.globalHosts.map(({ name }) => name)).toEqual(["global.azure-devices-provisioning.net"]);
    estate.create("dps", "gov", { cloud: "usgov" });
    expect(estate.globalHosts.map(({ name }) => name)).toContain("global.azure-devices-provisioning.us");
  });
});
