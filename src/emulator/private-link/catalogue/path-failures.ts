import type { PathRule } from "../network/path.ts";
import { inSite, insideNetwork, nothing, row, type StagedRow, sightOf, withDevices } from "./row.ts";

/** A packet filter or middlebox between the device and the virtual network. */
const filter =
  (rule: Omit<PathRule, "to">): StagedRow["stage"] =>
  () =>
    insideNetwork({ rules: [{ to: "private", ...rule }] });

/** Private endpoints that are not approved. */
export const approvalFailures: readonly StagedRow[] = [
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

/** Packet filters, middleboxes and lines. */
export const packetFailures: readonly StagedRow[] = [
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
