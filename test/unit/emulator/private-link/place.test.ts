import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { wildcardZone } from "../../../../src/emulator/private-link/dns/zone.ts";
import type { PlaceKind } from "../../../../src/emulator/private-link/network/path.ts";
import type { Place, PlaceSettings } from "../../../../src/emulator/private-link/place.ts";
import type { PrivateEndpoint } from "../../../../src/emulator/private-link/resources/private-endpoint.ts";
import type { Resource } from "../../../../src/emulator/private-link/resources/resource.ts";
import { PrivateLinkWorld } from "../../../../src/emulator/private-link/world.ts";
import { UdpClient, udpError } from "./dns/dns-client.ts";
import { knock, loopbackPort, type Seen, StubServices } from "./stub-services.ts";

const name = "mydps.azure-devices-provisioning.net";

let services: StubServices;
let world: PrivateLinkWorld;
let dps: Resource;
let endpoint: PrivateEndpoint;
const clients: (UdpClient | Socket)[] = [];

beforeAll(async () => {
  services = await StubServices.open();
});
afterAll(() => services.close());
beforeEach(() => {
  world = new PrivateLinkWorld({ upstreams: services.upstreams });
  services.world = world;
  dps = world.dps("mydps");
  endpoint = world.privateEndpoint(dps);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client instanceof UdpClient ? client.close() : client.destroy();
  await world.close();
});

const open = (kind: PlaceKind, settings?: PlaceSettings) => world.place(kind, settings);
const reach = (place: Place, address: string, port = 8883): Promise<Seen> =>
  knock(loopbackPort(place.connectTo, address, port));

/** The last record of an answer's data. */
async function lookUp(place: Place, server = 0, asked = name): Promise<unknown> {
  const client = new UdpClient(place.nameServers[server] ?? "");
  clients.push(client);
  const record = (await client.ask(asked, "A")).answers?.at(-1);
  return record !== undefined && "data" in record ? record.data : undefined;
}

/** A client that is still knocking after another has gone all the way through the world. */
async function staysUnanswered(place: Place, address: string, port: number): Promise<boolean> {
  const socket = connect({ host: "127.0.0.1", port: loopbackPort(place.connectTo, address, port) });
  clients.push(socket);
  socket.on("error", () => {});
  for (let round = 0; round < 3; round += 1) await reach(place, dps.host().publicAddress, 443);
  return socket.connecting;
}

/** Resolves when a socket is closed, in whatever way. */
function closeOf(socket: Socket): Promise<void> {
  socket.on("error", () => {});
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

describe("the paths of a place", () => {
  test("carry a client to the service, which learns the address that was dialled and where from", async () => {
    const place = await open("vnet");
    expect(await reach(place, endpoint.addressOf())).toEqual({
      service: "service 8883",
      arrivedAt: "10.20.0.5",
      from: "10.20.0.4",
    });
    expect(await reach(place, dps.host().publicAddress, 443)).toEqual({
      service: "service 443",
      arrivedAt: "20.42.0.10",
      from: "20.61.0.7",
    });
    expect(place.arrivals).toMatchObject([
      { address: "10.20.0.5", port: 8883, outcome: "carried", receivedBytes: 5 },
      { address: "20.42.0.10", port: 443, outcome: "carried", receivedBytes: 5 },
    ]);
  });

  test("come from an address of their own in a site, and from another when one is set", async () => {
    const place = await open("on-premises", { egressAddress: "62.96.99.1" });
    expect(await reach(place, endpoint.addressOf())).toMatchObject({ from: "10.50.0.4" });
    expect(await reach(place, dps.host().publicAddress)).toMatchObject({ from: "62.96.99.1" });
  });

  test("drop what a filter drops, on that port alone", async () => {
    const place = await open("vnet", { rules: [{ to: "private", port: 8883, outcome: "dropped" }] });
    expect(await staysUnanswered(place, endpoint.addressOf(), 8883)).toBe(true);
    expect(await reach(place, endpoint.addressOf(), 443)).toMatchObject({ arrivedAt: "10.20.0.5" });
  });

  test("turn away what a filter refuses", async () => {
    const place = await open("vnet", { rules: [{ to: "private", outcome: "refused" }] });
    expect(await reach(place, endpoint.addressOf())).toBe("refused");
    expect(place.arrivals).toEqual([]);
  });

  test.each(["reset", "closed"] as const)("are %s by a middlebox once the client has spoken", async (outcome) => {
    const place = await open("vnet", { rules: [{ outcome }] });
    expect(await reach(place, endpoint.addressOf())).toBe(outcome);
    expect(place.arrivals).toMatchObject([{ outcome, receivedBytes: 5 }]);
  });

  test("starve behind a middlebox that is silent, until the client gives up", async () => {
    const place = await open("vnet", { rules: [{ to: "private", outcome: "silent" }] });
    const socket = connect({ host: "127.0.0.1", port: loopbackPort(place.connectTo, endpoint.addressOf(), 8883) });
    clients.push(socket);
    let received = 0;
    socket.on("data", (bytes) => {
      received += bytes.length;
    });
    socket.write("hello");
    for (let round = 0; round < 3; round += 1) await reach(place, dps.host().publicAddress, 443);
    expect(place.arrivals.filter(({ outcome }) => outcome === "silent")).toMatchObject([{ receivedBytes: 5 }]);
    socket.end();
    await closeOf(socket);
    expect(received).toBe(0);
  });

  test("lead to a stranger where a deleted endpoint's address was given to somebody else", async () => {
    endpoint.delete();
    world.network().settle("10.20.0.5", "answers");
    const place = await open("vnet");
    expect(await reach(place, "10.20.0.5")).toMatchObject({ service: "stranger" });
  });

  test("refuse on ports behind which nothing listens", async () => {
    const other = new PrivateLinkWorld({ upstreams: { services: { 8883: services.upstreams.services[8883] ?? 0 } } });
    const { publicAddress } = other.dps("mydps").host();
    const place = await other.place("public");
    expect(await reach(place, publicAddress, 443)).toBe("refused");
    await other.close();
  });

  test("reset a client when the listener behind is gone", async () => {
    const gone = await StubServices.open();
    const other = new PrivateLinkWorld({ upstreams: gone.upstreams });
    const { publicAddress } = other.dps("mydps").host();
    const place = await other.place("public");
    await gone.close();
    expect(await reach(place, publicAddress)).toBe("reset");
    await other.close();
  });
});

describe("a change of the world", () => {
  test("shows at the ports once they have settled: pending, approved, rejected", async () => {
    const pending = world.privateEndpoint(dps, { approval: "manual" });
    const place = await open("vnet");
    expect(await staysUnanswered(place, pending.addressOf(), 8883)).toBe(true);
    pending.connection.approve();
    await world.settle();
    expect(await reach(place, pending.addressOf())).toMatchObject({ arrivedAt: pending.addressOf() });
    pending.connection.reject();
    await world.settle();
    expect(await staysUnanswered(place, pending.addressOf(), 8883)).toBe(true);
    await place.adjust({ unapproved: "refused" });
    expect(await reach(place, pending.addressOf())).toBe("refused");
  });

  test("keeps every rule that was handed out, and adds those of new addresses", async () => {
    const place = await open("vnet");
    const before = place.connectTo;
    const hub = world.hub("myhub");
    world.privateEndpoint(hub);
    await world.settle();
    expect(place.connectTo.slice(0, before.length)).toEqual(before);
    expect(await reach(place, hub.host("events").publicAddress, 5671)).toMatchObject({ service: "service 5671" });
  });

  test("goes through while another is still under way", async () => {
    const place = await open("vnet");
    const changes: Promise<void>[] = [];
    for (const outcome of ["refused", "dropped", "carried", "dropped", "refused", "carried"] as const) {
      changes.push(place.adjust({ rules: [{ outcome }] }), world.settle());
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(changes);
    expect(await reach(place, endpoint.addressOf())).toMatchObject({ arrivedAt: "10.20.0.5" });
  });
});

describe("a device that moves", () => {
  test("keeps its name servers and rules, sees what its new place sees, and loses its connections", async () => {
    const place = await open("public");
    const [servers, rules] = [place.nameServers, place.connectTo];
    expect(await lookUp(place)).toBe("20.42.0.10");
    const socket = connect({ host: "127.0.0.1", port: loopbackPort(rules, dps.host().publicAddress, 8883) });
    socket.write("hello");
    await once(socket, "data");
    const lost = closeOf(socket);

    await place.move("vnet");
    await lost;
    expect([place.nameServers, place.connectTo]).toEqual([servers, rules]);
    expect(await lookUp(place)).toBe("10.20.0.5");
    expect(await reach(place, "10.20.0.5")).toMatchObject({ arrivedAt: "10.20.0.5" });

    await place.move("public");
    expect(await lookUp(place)).toBe("20.42.0.10");
    expect(await staysUnanswered(place, "10.20.0.5", 8883)).toBe(true);
  });
});

describe("the names of a place", () => {
  test.each<[PlaceKind, PlaceSettings, string]>([
    ["vnet", {}, "10.20.0.5"],
    ["on-premises", {}, "10.20.0.5"],
    ["on-premises", { forwarder: false }, "20.42.0.10"],
    ["public", {}, "20.42.0.10"],
  ])("resolve in %s with %o to %s", async (kind, settings, address) => {
    expect(await lookUp(await open(kind, settings))).toBe(address);
  });

  test("differ between servers that disagree", async () => {
    const place = await open("vnet", { nameServers: [{}, { view: "internet" }] });
    expect([await lookUp(place, 0), await lookUp(place, 1)]).toEqual(["10.20.0.5", "20.42.0.10"]);
    expect(place.queries(1)).toMatchObject([{ carrier: "udp", name, type: "A" }]);
  });

  test("flip after so many queries for one name, and go on counting while other things change", async () => {
    const place = await open("vnet", {
      nameServers: [{ flip: { afterQueries: 2, name, type: "A", to: { view: "internet" } } }],
    });
    expect(await lookUp(place)).toBe("10.20.0.5");
    await lookUp(place, 0, "global.azure-devices-provisioning.net");
    await place.adjust({ rules: [{ outcome: "refused" }] });
    expect(await lookUp(place)).toBe("10.20.0.5");
    expect(await lookUp(place)).toBe("20.42.0.10");
    expect(await lookUp(place)).toBe("20.42.0.10");
  });

  test("change on command", async () => {
    const place = await open("vnet");
    expect(await lookUp(place)).toBe("10.20.0.5");
    await place.adjust({ nameServers: [{ view: "internet" }] });
    expect(await lookUp(place)).toBe("20.42.0.10");
  });

  test("are treated one by one", async () => {
    const place = await open("vnet", { nameServers: [{ treatments: { [name]: "strip-private" } }] });
    expect(await lookUp(place)).toBe("mydps.privatelink.azure-devices-provisioning.net");
    expect(await lookUp(place, 0, "global.azure-devices-provisioning.net")).toBe("20.42.0.20");
  });

  test("come with a hosts file, which a stub may serve too", async () => {
    const hosts = [{ address: "10.99.0.9", names: [name, "mydps"] }];
    const place = await open("public", { hosts, nameServers: [{}, { servesHosts: true }] });
    expect(place.hostsFile).toBe(`127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n10.99.0.9\t${name} mydps\n`);
    expect([await lookUp(place, 0), await lookUp(place, 1)]).toEqual(["20.42.0.10", "10.99.0.9"]);
  });

  test("lead to addresses that all have a rule, whatever they come from", async () => {
    const place = await open("vnet", {
      hosts: [{ address: "10.99.0.9", names: [name] }],
      nameServers: [
        {
          zones: [wildcardZone("", "192.168.1.1")],
          flip: { afterQueries: 1, to: { zones: [wildcardZone("", "fd00::0:1")] } },
        },
        { dns64: "64:ff9b::/96", treatments: { "*": "off-chain" } },
      ],
    });
    for (const address of ["10.99.0.9", "192.168.1.1", "fd00::1", "10.66.6.6", "64:ff9b::142a:a", "20.42.0.20"]) {
      expect(loopbackPort(place.connectTo, address, 8883)).toBeGreaterThan(0);
    }
    expect(await reach(place, "64:ff9b::142a:a")).toMatchObject({ arrivedAt: "20.42.0.10", from: "20.61.0.7" });
  });

  test("stop at a server that the device is not told of any more", async () => {
    const place = await open("vnet", { nameServers: [{}, {}] });
    await place.move("public");
    expect(place.nameServers).toHaveLength(2);
    expect(await lookUp(place, 0)).toBe("20.42.0.10");
    expect(await udpError(place.nameServers[1] ?? "")).toBe("ECONNREFUSED");
    await place.move("vnet", { nameServers: [{}, {}] });
    expect(await lookUp(place, 1)).toBe("10.20.0.5");
  });
});

describe("the end of a place", () => {
  test("frees its ports, those that drop and refuse among them, and comes twice without harm", async () => {
    const place = await open("vnet", {
      rules: [
        { port: 8883, outcome: "dropped" },
        { port: 443, outcome: "refused" },
      ],
    });
    const ports = [8883, 443, 5671].map((port) => loopbackPort(place.connectTo, endpoint.addressOf(), port));
    await world.close();
    await world.close();
    expect(await Promise.all(ports.map(knock))).toEqual(["refused", "refused", "refused"]);
    await expect(world.place("vnet")).rejects.toMatchObject({ code: "emulator.rejected" });
    await expect(place.move("public")).rejects.toMatchObject({ code: "emulator.rejected" });
  });

  test("comes at once when its settings are not possible", async () => {
    await expect(open("vnet", { nameServers: [{}, { dns64: "10.0.0.0/8" }] })).rejects.toMatchObject({
      code: "emulator.rejected",
    });
  });
});
