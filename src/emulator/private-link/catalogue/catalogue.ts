import type { PathRule } from "../network/path.ts";
import type { PlaceSettings } from "../place.ts";
import { type ResourceKind, resourceKinds } from "../resources/service-names.ts";
import type { Basis, Sight, StagedRow, UnstagedRow } from "./row.ts";
import { sightOf } from "./row.ts";
import type { Scene, SceneStandpoint } from "./scene.ts";

const insideNetwork = (settings: PlaceSettings = {}): SceneStandpoint => ({ kind: "vnet", settings });
const inSite = (settings: PlaceSettings = {}): SceneStandpoint => ({ kind: "on-premises", settings });
const outside = (settings: PlaceSettings = {}): SceneStandpoint => ({ kind: "public", settings });

const withDevices: readonly ResourceKind[] = ["dps", "hub"];

type SightChange = Partial<Omit<Sight, "host">>;

const unnoticed: SightChange = { dns: ["public-behind-privatelink"] };
const refusedOutside: SightChange = { dns: ["public-behind-privatelink"], application: "refuses" };
const nothing = { application: "none" } as const;
const recordMissing: SightChange = { dns: ["record-missing"], tcp: "not-reached", ...nothing };

interface RowParts {
  readonly cause: string;
  readonly basis: Basis;
  readonly kinds?: readonly ResourceKind[];
  readonly stage: StagedRow["stage"];
  /** What the row's resource looks like; or every sight. */
  readonly sees: SightChange | StagedRow["sights"];
}

function row(id: string, { cause, basis, kinds = resourceKinds, stage, sees }: RowParts): StagedRow {
  const sights =
    typeof sees === "function" ? sees : (scene: Scene, kind: ResourceKind) => [sightOf(scene.resource(kind), sees)];
  return { id, cause, basis, kinds, stage, sights };
}

/** A packet filter or middlebox between the device and the virtual network. */
const filter =
  (rule: Omit<PathRule, "to">): StagedRow["stage"] =>
  () =>
    insideNetwork({ rules: [{ to: "private", ...rule }] });

const names: readonly StagedRow[] = [
  row("zone-not-linked", {
    cause: "The private DNS zone is not linked to the device's virtual network",
    basis: "documented",
    stage: (scene, kind) => {
      scene.unlinkZones(kind);
      return insideNetwork();
    },
    sees: unnoticed,
  }),
  row("forwarder-missing", {
    cause: "The resolver of the site does not forward the public suffix into the virtual network",
    basis: "documented",
    stage: () => inSite({ forwarder: false }),
    sees: unnoticed,
  }),
  row("zone-name-wrong", {
    cause: "The private DNS zone has a wrong name, so it is never asked",
    basis: "observed",
    stage: (scene, kind) => {
      scene.unlinkZones(kind);
      const { privatelinkName } = scene.resource(kind).host();
      const wrong = scene.estate.zone(`${scene.resource(kind).host().zone}.example`);
      wrong.set(`${privatelinkName}.example`, { a: [scene.endpoint(kind).addressOf()] });
      scene.network.link(wrong);
      return insideNetwork();
    },
    sees: unnoticed,
  }),
  row("record-missing", {
    cause: "The private DNS zone lacks the record of the private endpoint",
    basis: "documented",
    stage: (scene, kind) => {
      const { zone, privatelinkName } = scene.resource(kind).host();
      scene.estate.zone(zone).remove(privatelinkName);
      return insideNetwork();
    },
    sees: recordMissing,
  }),
  row("fallback-to-internet", {
    cause: "The record is missing, and the zone's link falls back to the internet",
    basis: "documented",
    stage: (scene, kind) => {
      const { zone, privatelinkName } = scene.resource(kind).host();
      scene.estate.zone(zone).remove(privatelinkName);
      scene.network.link(scene.estate.zone(zone), { fallbackToInternet: true });
      return insideNetwork();
    },
    sees: unnoticed,
  }),
  ...(
    [
      ["stale-record", "and nothing has that address now", undefined, "dropped"],
      ["stale-record-refused", "and another machine has it, which refuses", "refuses", "refused"],
      [
        "stale-record-stranger",
        "and another machine has it, which serves TLS with its own certificate",
        "answers",
        "stranger",
      ],
    ] as const
  ).map(([id, cause, neighbour, tcp]) =>
    row(id, {
      cause: `The record holds the address of a private endpoint that was deleted, ${cause}`,
      basis: "observed",
      stage: (scene, kind) => {
        const old = scene.endpoint(kind).addressOf();
        scene.renewEndpoint(kind);
        const { zone, privatelinkName } = scene.resource(kind).host();
        scene.estate.zone(zone).set(privatelinkName, { a: [old] });
        if (neighbour !== undefined) scene.network.settle(old, neighbour);
        return insideNetwork();
      },
      sees: { tcp, ...nothing },
    }),
  ),
  row("events-record-missing", {
    cause: "The hub's private endpoint has no record for the built-in Event Hubs-compatible endpoint",
    basis: "documented",
    kinds: ["hub"],
    stage: (scene) => {
      const { zone, privatelinkName } = scene.resource("hub").host("events");
      scene.estate.zone(zone).remove(privatelinkName);
      return insideNetwork();
    },
    sees: (scene) => [
      sightOf(scene.resource("hub"), { role: "events", ...recordMissing }),
      sightOf(scene.resource("hub")),
    ],
  }),
];

const connections: readonly StagedRow[] = [
  row("endpoint-pending", {
    cause: "The owner of the resource has not approved the private endpoint yet",
    basis: "likely",
    stage: (scene, kind) => {
      scene.renewEndpoint(kind, { approval: "manual", requestMessage: "for the devices of site 23" });
      return insideNetwork();
    },
    sees: { tcp: "dropped", ...nothing },
  }),
  row("endpoint-rejected", {
    cause: "The owner of the resource rejected the private endpoint",
    basis: "likely",
    stage: (scene, kind) => {
      scene.endpoint(kind).connection.reject("not for this site");
      return insideNetwork();
    },
    sees: { tcp: "dropped", ...nothing },
  }),
  row("endpoint-disconnected", {
    cause: "The owner of the resource removed the private endpoint's connection",
    basis: "likely",
    stage: (scene, kind) => {
      scene.endpoint(kind).connection.remove();
      return insideNetwork();
    },
    sees: { tcp: "dropped", ...nothing },
  }),
];

const packets: readonly StagedRow[] = [
  row("filter-drops", {
    cause: "A network security group or firewall drops every port",
    basis: "observed",
    stage: filter({ outcome: "dropped" }),
    sees: { tcp: "dropped", ...nothing },
  }),
  ...([8883, 443, 5671] as const).map((port) =>
    row(`filter-drops-${port}`, {
      cause: `A network security group or firewall drops port ${port} alone`,
      basis: "observed",
      kinds: withDevices,
      stage: filter({ port, outcome: "dropped" }),
      sees: (scene, kind) => [
        sightOf(scene.resource(kind), { port, tcp: "dropped", ...nothing }),
        sightOf(scene.resource(kind), { port: port === 443 ? 8883 : 443 }),
      ],
    }),
  ),
  row("filter-rejects", {
    cause: "A firewall turns connections away",
    basis: "observed",
    stage: filter({ outcome: "refused" }),
    sees: { tcp: "refused", ...nothing },
  }),
  ...(
    [
      ["reset", "resets it"],
      ["closed", "closes it"],
      ["silent", "lets it starve"],
    ] as const
  ).map(([outcome, how]) =>
    row(`middlebox-${outcome}`, {
      cause: `A middlebox accepts the connection, and ${how} when TLS begins`,
      basis: "observed",
      stage: filter({ outcome }),
      sees: { tcp: outcome, ...nothing },
    }),
  ),
  row("line-down", {
    cause: "The private line of the site (VPN, ExpressRoute) is down; names still resolve",
    basis: "observed",
    stage: () => inSite({ lineUp: false }),
    sees: { tcp: "dropped", ...nothing },
  }),
];

const refusals: readonly StagedRow[] = [
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

/** Every known failure of a private path that can be staged, each with what a device then sees. */
export const failureCatalogue: readonly StagedRow[] = [...names, ...connections, ...packets, ...refusals];

/** The failures that one process on loopback cannot stage. */
export const unstagedFailures: readonly UnstagedRow[] = [
  {
    id: "stale-record-on-link",
    cause: "The record holds an address of the device's own subnet that nothing has",
    reason:
      "EHOSTUNREACH comes from a neighbour look-up that fails, and loopback has no neighbours; network namespaces show it.",
  },
  {
    id: "filter-prohibits",
    cause: "A firewall answers with an ICMP message (administratively prohibited)",
    reason: "EHOSTUNREACH by ICMP needs a packet filter; network namespaces show it.",
  },
  {
    id: "route-missing",
    cause: "The device has no route to the virtual network",
    reason: "ENETUNREACH comes from the routing table; network namespaces show it.",
  },
  {
    id: "configured-address",
    cause: "The device is configured with an address, or with the privatelink name",
    reason: "The world is healthy then and the configuration is not; the certificate is for the public name only.",
  },
  {
    id: "linked-hub-key-wrong",
    cause: "The DPS cannot use its linked hub: wrong key, or unlinked",
    reason: "It ends in the registration's result and has no part in the network; the emulated DPS stages it.",
  },
  {
    id: "updates-without-public-access",
    cause: "Device Update is used with a hub whose public network access is disabled",
    reason: "Device Update reaches the hub by a path inside Azure, which is not part of this world.",
  },
];
