import { insideNetwork, outside, refusedOutside, row, type StagedRow, sightOf, withDevices } from "./row.ts";
import type { Scene } from "./scene.ts";

/** Services that turn away who comes by the public path, and pairs of services of which one is not private. */
export const refusalFailures: readonly StagedRow[] = [
  row("public-access-disabled", {
    cause: "Public network access is disabled, and the device takes the public path",
    basis: "documented",
    stage: (scene, kind) => {
      scene.resource(kind).publicNetworkAccess = "disabled";
      return outside();
    },
    sees: refusedOutside,
  }),
  row("public-access-disabled-global", {
    cause: "Public network access of the DPS is disabled, and the device asks the global device endpoint",
    basis: "documented",
    kinds: ["dps"],
    stage: (scene) => {
      scene.resource("dps").publicNetworkAccess = "disabled";
      return insideNetwork();
    },
    sees: (scene) => [
      {
        host: scene.estate.globalHosts[0]?.name ?? "",
        port: 8883,
        dns: ["public"],
        tcp: "carried",
        application: "refuses",
      },
      sightOf(scene.resource("dps")),
    ],
  }),
  row("ip-filter", {
    cause: "An IP filter rule rejects the device's public address",
    basis: "documented",
    kinds: withDevices,
    stage: (scene, kind) => {
      scene.resource(kind).ipFilter = [{ name: "everybody", action: "reject", range: "0.0.0.0/0" }];
      return outside();
    },
    sees: refusedOutside,
  }),
  row("events-public-access-disabled", {
    cause: "Public network access of the hub is disabled, and a reader asks the Event Hubs-compatible endpoint",
    basis: "documented",
    kinds: ["hub"],
    stage: (scene) => {
      scene.resource("hub").publicNetworkAccess = "disabled";
      return outside();
    },
    sees: (scene) => [sightOf(scene.resource("hub"), { role: "events", ...refusedOutside })],
  }),
  row("events-ip-filter", {
    cause: "An IP filter rule that covers the Event Hubs-compatible endpoint rejects a reader",
    basis: "documented",
    kinds: ["hub"],
    stage: (scene) => {
      const hub = scene.resource("hub");
      hub.ipFilter = [{ name: "everybody", action: "reject", range: "0.0.0.0/0" }];
      hub.ipFilterCoversEvents = true;
      return outside();
    },
    sees: (scene) => [sightOf(scene.resource("hub"), { role: "events", ...refusedOutside })],
  }),
  ...(
    [
      ["hub-not-private", "The DPS is private and the assigned hub is not", "hub", "dps"],
      ["dps-not-private", "The hub is private and the DPS is not", "dps", "hub"],
    ] as const
  ).map(([id, cause, open, closed]) =>
    row(id, {
      cause: `${cause}, though public network access is disabled`,
      basis: "likely",
      kinds: [open],
      stage: (scene) => {
        scene.endpoint(open).delete();
        scene.resource(open).publicNetworkAccess = "disabled";
        return insideNetwork();
      },
      sees: (scene) => [
        sightOf(scene.resource(open), { dns: ["public"], application: "refuses" }),
        sightOf(scene.resource(closed)),
      ],
    }),
  ),
  row("hub-in-another-cloud", {
    cause: "The assigned hub is in another cloud than the DPS, between which no private endpoint works",
    basis: "documented",
    kinds: ["hub"],
    stage: (scene) => {
      scene.estate.create("hub", otherCloudHub(scene), { cloud: "usgov" });
      return insideNetwork();
    },
    sees: (scene) => {
      const hub = scene.estate.resources.find(({ name }) => name === otherCloudHub(scene));
      return hub === undefined ? [] : [sightOf(hub, { dns: ["public"] }), sightOf(scene.resource("dps"))];
    },
  }),
];

const otherCloudHub = (scene: Scene): string => `${scene.resource("hub").name}-usgov`;
