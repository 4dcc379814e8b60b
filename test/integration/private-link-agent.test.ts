import { describe, expect, test } from "vitest";
import { Scene } from "../../src/emulator/private-link/catalogue/scene.ts";
import type { NameServerSettings } from "../../src/emulator/private-link/dns/responder.ts";
import { landfall } from "../support/landfall-process.ts";
import { PrivateLinkDevice, sceneAddresses, sceneHosts } from "../support/private-link-device.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";

const folder = new ScratchFolder();
const { dps, hub, global, govHub } = sceneHosts;
const always = { always_reprovision_on_startup: true };

/** A scene in which no private endpoint exists. */
function publicScene(): Scene {
  const scene = new Scene();
  scene.endpoint("dps").delete();
  scene.endpoint("hub").delete();
  return scene;
}

/** The codes of the warnings that the agents have logged. */
const warningsOf = ({ records }: PrivateLinkDevice): unknown[] =>
  records
    .filter(({ level, fields }) => level === "warn" && fields?.code !== undefined)
    .map(({ fields }) => fields?.code);

const queriesFor = ({ place }: PrivateLinkDevice, name: string, server = 0): number =>
  place.queries(server).filter((query) => query.name === name).length;

describe("inside the virtual network", () => {
  test("DPS and hub are reached at their private addresses, and remembered", async () => {
    await using device = await PrivateLinkDevice.open(folder);
    const [atDps, atHub] = [device.scene.endpoint("dps").addressOf(), device.scene.endpoint("hub").addressOf()];
    const agent = await device.agent();
    expect(await agent.start()).toMatchObject({ hub });
    const found = { path: "private", reason: "private-endpoint" };
    expect(device.told("endpoint")).toEqual([
      { service: "dps", host: dps, addresses: [atDps], ...found },
      { service: "hub", host: hub, addresses: [atHub], ...found },
    ]);
    expect(device.arrivedAt()).toEqual([atDps, atHub]);
    expect(warningsOf(device)).toEqual([]);
    // The session is up before the memory is on the disk.
    await expect
      .poll(async () => JSON.parse((await device.memory()) ?? "{}").sightings)
      .toMatchObject([
        { role: "dps", host: dps, idScope: "0ne00000001", addresses: [atDps] },
        { role: "hub", host: hub, addresses: [atHub] },
      ]);
  });

  test("the global endpoint is not even looked up when only a private path will do", async () => {
    await using device = await PrivateLinkDevice.open(folder);
    await (await device.agent({ provisioning: { network: "private" } })).start();
    expect(queriesFor(device, dps)).toBeGreaterThan(0);
    expect(queriesFor(device, global)).toBe(0);
    expect(device.publicArrivals).toEqual([]);
  });

  test("a private endpoint that one of two servers shows is known", async () => {
    const nameServers: NameServerSettings[] = [{ view: "internet" }, {}];
    await using device = await PrivateLinkDevice.open(folder, { settings: { nameServers } });
    await (await device.agent()).start();
    expect(device.told("endpoint").map(({ host, path }) => [host, path])).toEqual([
      [dps, "private"],
      [hub, "private"],
    ]);
    expect(warningsOf(device)).toContain("resolvers-disagree");
    expect(device.publicArrivals).toEqual([]);
  });

  test("DNS that changes its mind between decision and dial does not move the dial", async () => {
    // The decision asks for A and AAAA; whoever asks again is sent to the internet.
    const flip = { afterQueries: 2, name: dps, to: { view: "internet" } } as const;
    await using device = await PrivateLinkDevice.open(folder, { settings: { nameServers: [{ flip }] } });
    const agent = await device.agent();
    await agent.start();
    expect(queriesFor(device, dps)).toBe(2);
    expect(device.publicArrivals).toEqual([]);
    await agent.provision();
    const { publicAddress } = device.scene.resource("dps").host();
    const second = { host: dps, path: "public", reason: "private-downgrade", addresses: [publicAddress] };
    expect(device.told("endpoint").at(-1)).toMatchObject(second);
    expect(device.publicArrivals.map(({ address }) => address)).toEqual([publicAddress]);
  });

  test("a private zone without the record leads nowhere, though falling back is allowed", async () => {
    const scene = new Scene();
    const { zone, privatelinkName } = scene.resource("dps").host();
    scene.estate.zone(zone).remove(privatelinkName);
    await using device = await PrivateLinkDevice.open(folder, { scene });
    const agent = await device.agent({ provisioning: { allow_global_fallback: true } });
    agent.start().catch(() => {});
    const { error } = await device.event("provisioning-failed");
    expect(error).toMatchObject({ code: "endpoint.no-safe-endpoint" });
    expect(error.message).toContain("private-zone-missing-record");
    expect(device.place.arrivals).toEqual([]);
  });
});

describe("on the public internet", () => {
  test("without any private endpoint the global one is used, pinned to what DNS gave", async () => {
    await using device = await PrivateLinkDevice.open(folder, { scene: publicScene(), kind: "public" });
    await (await device.agent()).start();
    expect(device.told("endpoint")).toMatchObject([
      { service: "dps", host: global, addresses: [sceneAddresses.globalDps], path: "public", reason: "public-only" },
      { service: "hub", host: hub, path: "public", reason: "hub-public" },
    ]);
    expect(device.arrivedAt()).toEqual([sceneAddresses.globalDps, device.scene.resource("hub").host().publicAddress]);
    expect(await device.memory()).toBeUndefined();
  });

  test('with network = "private" not one byte leaves', async () => {
    await using device = await PrivateLinkDevice.open(folder, { kind: "public" });
    const agent = await device.agent({ provisioning: { network: "private" } });
    agent.start().catch(() => {});
    const { error, retryInMs } = await device.event("provisioning-failed");
    expect(error).toMatchObject({ code: "endpoint.no-safe-endpoint" });
    expect(error.message).toContain("private-endpoint-not-visible");
    expect(retryInMs).toBeGreaterThan(0);
    expect(device.place.arrivals).toEqual([]);
  });
});

describe("a hub beside a private DPS", () => {
  const scene = (): Scene => {
    const halfPrivate = new Scene();
    halfPrivate.endpoint("hub").delete();
    return halfPrivate;
  };

  test("that is public is reached, with a warning", async () => {
    await using device = await PrivateLinkDevice.open(folder, { scene: scene() });
    await (await device.agent()).start();
    expect(device.told("endpoint").at(-1)).toMatchObject({ host: hub, path: "public" });
    expect(warningsOf(device)).toContain("hub-not-private");
  });

  test('that is public is not reached with network = "private"', async () => {
    await using device = await PrivateLinkDevice.open(folder, { scene: scene() });
    const agent = await device.agent({ provisioning: { network: "private" } });
    agent.start().catch(() => {});
    const { error } = await device.event("waiting");
    expect(error).toMatchObject({ code: "endpoint.no-safe-endpoint" });
    expect(device.publicArrivals).toEqual([]);
  });

  test("that is in another cloud is refused, and not even looked up", async () => {
    const twoClouds = new Scene();
    twoClouds.estate.create("hub", "myhub-usgov", { cloud: "usgov" });
    await using device = await PrivateLinkDevice.open(folder, { scene: twoClouds, hub: govHub });
    const agent = await device.agent();
    const started = agent.start();
    started.catch(() => {});
    const { error } = await device.event("waiting");
    expect(error).toMatchObject({ code: "endpoint.cross-cloud" });
    expect(device.publicArrivals).toEqual([]);
    expect(queriesFor(device, govHub)).toBe(0);
  });
});

describe("a path that was private", () => {
  test("keeps the device from the global endpoint after a move, until the owner says to forget", async () => {
    await using device = await PrivateLinkDevice.open(folder);
    await (await device.agent({ provisioning: always })).start();
    await device.rest();

    for (const kind of ["dps", "hub"] as const) device.scene.endpoint(kind).delete();
    await device.place.move("public");
    const before = device.place.arrivals.length;
    await (await device.agent({ provisioning: always })).start();
    expect(device.told("endpoint").slice(-2)).toMatchObject([
      { host: dps, path: "public", reason: "private-downgrade" },
      { host: hub, path: "public", reason: "private-downgrade" },
    ]);
    expect(device.arrivedAt(before)).not.toContain(sceneAddresses.globalDps);
    await device.rest();

    const file = await device.configurationFile();
    expect(await landfall(["endpoint", "--forget", "-c", file])).toMatchObject({
      code: 0,
      out: `forgotten: ${dps}, ${hub}\n`,
    });
    await (await device.agent({ provisioning: always })).start();
    expect(device.told("endpoint").slice(-2)).toMatchObject([
      { host: global, reason: "public-only" },
      { host: hub, reason: "hub-public" },
    ]);
  });

  test("still counts, by the id scope, when `dps_name` is taken out of the settings", async () => {
    await using device = await PrivateLinkDevice.open(folder);
    await (await device.agent({ provisioning: always })).start();
    device.scene.endpoint("dps").delete();
    await device.place.move("public");
    await (await device.agent({ provisioning: { ...always, dps_name: undefined } })).start();
    expect(device.told("endpoint").at(-2)).toMatchObject({ host: dps, reason: "private-downgrade" });
    expect(device.arrivedAt()).not.toContain(sceneAddresses.globalDps);
  });

  test('is left by nobody with network = "private"', async () => {
    await using device = await PrivateLinkDevice.open(folder);
    const provisioning = { ...always, network: "private" };
    await (await device.agent({ provisioning })).start();
    await device.rest();
    await device.place.move("public");
    const before = device.place.arrivals.length;
    const agent = await device.agent({ provisioning });
    agent.start().catch(() => {});
    await device.event("provisioning-failed");
    await device.event("waiting");
    expect(device.arrivedAt(before)).toEqual([]);
  });
});

describe("a private path that does not carry", () => {
  test.each([
    ["dropped", "endpoint.connect-timeout"],
    ["refused", "endpoint.connect-failed"],
  ] as const)(
    "an endpoint that is not approved, packets %s: %s, and nothing is remembered",
    async (unapproved, code) => {
      const scene = new Scene();
      scene.renewEndpoint("dps", { approval: "manual", requestMessage: "for press 1" });
      await using device = await PrivateLinkDevice.open(folder, { scene, settings: { unapproved } });
      const agent = await device.agent();
      agent.start().catch(() => {});
      await device.event("endpoint");
      if (unapproved === "dropped") await device.clock.advance(15_000);
      expect(await device.failedAttempt()).toMatchObject({ code });
      expect(device.place.arrivals).toEqual([]);
      expect(await device.memory()).toBeUndefined();

      scene.endpoint("dps").connection.approve();
      await device.emulated.world.settle();
      expect(await (await device.agent()).start()).toMatchObject({ hub });
    },
  );

  test.each([
    ["refuses", "endpoint.connect-failed"],
    ["answers", "endpoint.tls-untrusted"],
  ] as const)("a stale address that a neighbour has who %s: %s", async (neighbour, code) => {
    const scene = new Scene();
    const stale = scene.endpoint("dps").addressOf();
    scene.renewEndpoint("dps");
    const { zone, privatelinkName } = scene.resource("dps").host();
    scene.estate.zone(zone).set(privatelinkName, { a: [stale] });
    scene.network.settle(stale, neighbour);
    await using device = await PrivateLinkDevice.open(folder, { scene });
    const agent = await device.agent();
    agent.start().catch(() => {});
    expect(await device.failedAttempt()).toMatchObject({ code });
    expect(device.publicArrivals).toEqual([]);
    expect(await device.memory()).toBeUndefined();
  });
});

describe("a service that turns the public path away", () => {
  test.each([
    ["public access disabled", { access: "disabled" }],
    ["an IP filter", { access: "enabled" }],
  ] as const)("DPS, by %s: CONNACK 5 ends the agent with a named error", async (_, { access }) => {
    const scene = new Scene();
    const resource = scene.resource("dps");
    if (access === "disabled") resource.publicNetworkAccess = "disabled";
    else resource.ipFilter = [{ name: "everybody", action: "reject", range: "0.0.0.0/0" }];
    await using device = await PrivateLinkDevice.open(folder, { scene, kind: "public" });
    await expect((await device.agent()).start()).rejects.toMatchObject({ code: "transport.unauthorized" });
    expect(device.arrivedAt()).toEqual([resource.host().publicAddress]);
  });

  test("DPS at the global endpoint, whose name is nobody's: the scope tells", async () => {
    const scene = publicScene();
    scene.resource("dps").publicNetworkAccess = "disabled";
    await using device = await PrivateLinkDevice.open(folder, { scene, kind: "public" });
    await expect((await device.agent()).start()).rejects.toMatchObject({ code: "transport.unauthorized" });
    expect(device.arrivedAt()).toEqual([sceneAddresses.globalDps]);
  });

  test("the hub: CONNACK 5, and the same device inside the network is let in", async () => {
    const scene = new Scene();
    scene.resource("hub").publicNetworkAccess = "disabled";
    await using device = await PrivateLinkDevice.open(folder, { scene, kind: "public" });
    const agent = await device.agent();
    agent.start().catch(() => {});
    expect((await device.event("waiting")).error).toMatchObject({ code: "transport.unauthorized" });
    await device.place.move("vnet");
    expect(await (await device.agent()).start()).toMatchObject({ hub });
  });
});
