import { describe, expect, test } from "vitest";
import { Scene } from "../../src/emulator/private-link/catalogue/scene.ts";
import { type EndedProcess, landfall } from "../support/landfall-process.ts";
import { type DeviceChanges, PrivateLinkDevice, sceneAddresses, sceneHosts } from "../support/private-link-device.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";

const folder = new ScratchFolder();
const { dps, hub, global } = sceneHosts;

/** Runs `landfall endpoint` on a device. */
async function explain(
  device: PrivateLinkDevice,
  args: readonly string[] = [],
  changes: DeviceChanges = {},
): Promise<EndedProcess> {
  return landfall(["endpoint", "-c", await device.configurationFile(changes), ...args]);
}

/** What `--json` printed: one line. */
function resultOf({ out }: EndedProcess): { readonly [field: string]: unknown } {
  expect(out.split("\n")).toHaveLength(2);
  return JSON.parse(out);
}

describe("landfall endpoint", () => {
  test("tells the decision, every piece of evidence and the memory, and connects to nobody", async () => {
    await using device = await PrivateLinkDevice.open(folder);
    const address = device.scene.endpoint("dps").addressOf();
    const { code, out, err } = await explain(device);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain(`Dial ${dps} (service endpoint).\n  Pinned to ${address}; no other address is dialled.\n`);
    expect(out).toMatch(/^ {2}private-endpoint, row \w+$/m);
    const [server] = device.place.nameServers;
    expect(out).toContain(`${server} A: -> mydps.privatelink.azure-devices-provisioning.net = ${address} (private,`);
    expect(out).toContain("No private path was ever used.");
    const asked = device.place.queries().map(({ name }) => name);
    expect(new Set(asked)).toEqual(new Set([dps, global, "ipv4only.arpa"]));
    expect(device.place.arrivals).toEqual([]);
    expect(await device.memory()).toBeUndefined();
  });

  test("--json: the same as landfall.endpoint/1 on one line", async () => {
    await using device = await PrivateLinkDevice.open(folder, { kind: "public" });
    const ended = await explain(device, ["--json"]);
    expect(ended).toMatchObject({ code: 0, err: "" });
    const { publicAddress } = device.scene.resource("dps").host();
    expect(resultOf(ended)).toMatchObject({
      schema: "landfall.endpoint/1",
      strict: false,
      decision: {
        kind: "service",
        host: dps,
        path: "public",
        addresses: [publicAddress],
        reason: "private-endpoint-not-visible",
        advice: expect.stringContaining("zone"),
      },
      evidence: { names: [{ host: dps }, { host: global }] },
      memory: { sightings: [], damaged: false },
    });
    expect(device.place.arrivals).toEqual([]);
  });

  test("exits 1 where nothing may be dialled, and says what to do", async () => {
    await using device = await PrivateLinkDevice.open(folder, { kind: "public" });
    const changes = { provisioning: { network: "private" } };
    const said = await explain(device, [], changes);
    expect(said).toMatchObject({ code: 1, err: "" });
    expect(said.out).toMatch(
      /^Nothing is dialled\.\n {2}The agent tries again\.\nWhy: .*\n {2}private-endpoint-not-visible/,
    );
    expect(said.out).toMatch(/^Do: .+/m);
    const told = await explain(device, ["--json"], changes);
    expect(told.code).toBe(1);
    expect(resultOf(told)).toMatchObject({ strict: true, decision: { kind: "none", host: null, addresses: null } });
    expect(device.place.queries().map(({ name }) => name)).not.toContain(global);
    expect(device.place.arrivals).toEqual([]);
  });

  test("names what it would take, where the settings alone leave nothing", async () => {
    await using device = await PrivateLinkDevice.open(folder);
    const changes = { provisioning: { data_residency: "strict", dps_name: undefined } };
    const { code, out } = await explain(device, [], changes);
    expect(code).toBe(1);
    expect(out).toContain("Trying again does not help before something is changed.");
    expect(out).toContain("Set `dps_name`");
  });

  test("--hub explains the way to a hub; one of another cloud is not even looked up", async () => {
    const scene = new Scene();
    scene.endpoint("hub").delete();
    await using device = await PrivateLinkDevice.open(folder, { scene });
    const { publicAddress } = scene.resource("hub").host();
    const publicHub = await explain(device, ["--hub", hub, "--json"]);
    expect(publicHub.code).toBe(0);
    expect(resultOf(publicHub)).toMatchObject({
      decision: { kind: "hub", host: hub, addresses: [publicAddress], warnings: [{ code: "hub-not-private" }] },
    });
    const foreign = await explain(device, ["--hub", sceneHosts.govHub, "--json"]);
    expect(foreign.code).toBe(1);
    expect(resultOf(foreign)).toMatchObject({ decision: { kind: "none", reason: "cross-cloud" } });
    expect(device.place.queries().map(({ name }) => name)).not.toContain(sceneHosts.govHub);
    expect(device.place.arrivals).toEqual([]);
  });

  test("shows the hosts file's line, and a second server that disagrees", async () => {
    const scene = new Scene();
    const address = scene.endpoint("dps").addressOf();
    const settings = { hosts: [{ address, names: [dps] }], nameServers: [{ view: "internet" as const }, {}] };
    await using device = await PrivateLinkDevice.open(folder, { scene, settings });
    const { code, out } = await explain(device);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`/hosts:\\d+: ${address} \\(private`));
    for (const server of device.place.nameServers) expect(out).toContain(`${server} A: `);
    expect(out).toContain("Warning (resolvers-disagree): ");
  });

  test("--forget forgets which paths were private, once", async () => {
    await using device = await PrivateLinkDevice.open(folder);
    await (await device.agent()).start();
    await expect.poll(() => device.memory()).toContain(hub);
    await device.rest();
    for (const kind of ["dps", "hub"] as const) device.scene.endpoint(kind).delete();
    await device.place.move("public");
    const before = device.place.arrivals.length;

    const remembered = await explain(device);
    expect(remembered.code).toBe(0);
    expect(remembered.out).toContain("private-downgrade");
    expect(remembered.out).toContain(`${dps} was reached over a private path from 20`);
    const forgotten = await explain(device, ["--forget", "--json"]);
    expect(forgotten.code).toBe(0);
    expect(resultOf(forgotten)).toEqual({
      schema: "landfall.endpoint-forgotten/1",
      hosts: [dps, hub],
      damaged: false,
    });
    expect(await explain(device, ["--forget"])).toMatchObject({ code: 0, out: "nothing was remembered\n" });
    expect(resultOf(await explain(device, ["--json"]))).toMatchObject({
      decision: { host: global, reason: "public-only", addresses: [sceneAddresses.globalDps] },
    });
    expect(device.place.arrivals.length).toBe(before);
  });

  test("exits 2 for an option that there is not, before it asks anybody", async () => {
    await using device = await PrivateLinkDevice.open(folder);
    expect(await explain(device, ["--forgive"])).toMatchObject({ code: 2, out: "" });
    expect(device.place.queries()).toEqual([]);
  });
});
