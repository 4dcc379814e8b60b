import { inSite, insideNetwork, nothing, recordMissing, row, type StagedRow, sightOf, unnoticed } from "./row.ts";

/** Failures of the names: zones, links, records and forwarders. */
export const nameFailures: readonly StagedRow[] = [
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
