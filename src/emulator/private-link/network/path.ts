import { isPrivateAddress } from "../resources/address-space.ts";
import type { Estate } from "../resources/estate.ts";

/** Where a device stands: in a virtual network, in a site with a private line to one, or on the public internet. */
export type PlaceKind = "vnet" | "on-premises" | "public";

/**
 * What becomes of a TCP connection.
 *
 * - `carried`: bytes reach the service
 * - `dropped`: no answer to any packet
 * - `refused`: turned away at once (RST)
 * - `reset`, `closed`, `silent`: accepted; then, when the client has sent something, RST, FIN, or nothing ever
 * - `stranger`: some other TLS server answers, with a certificate of its own
 */
export type PathOutcome = "carried" | "dropped" | "refused" | "reset" | "closed" | "silent" | "stranger";

/** What a packet filter or a middlebox on the way does; the first rule that matches decides. */
export interface PathRule {
  /** Private: addresses of virtual networks. Public: all others. Or one address. Default: every address. */
  readonly to?: "private" | "public" | (string & {}) | undefined;
  /** Default: every port. */
  readonly port?: number | undefined;
  readonly outcome: PathOutcome;
}

/** What decides about a path on the device's side. */
export interface Standpoint {
  readonly kind: PlaceKind;
  /** Whether the private line is up (VPN, ExpressRoute); for `on-premises` only. */
  readonly lineUp: boolean;
  readonly rules: readonly PathRule[];
  /** What an endpoint does that is not approved; Azure's documents leave it open. */
  readonly unapproved: "dropped" | "refused";
}

/** Whether an address leads into a private network: one of a virtual network, or one that the internet does not route. */
export function isPrivatePath({ networks }: Pick<Estate, "networks">, address: string): boolean {
  return networks.some((network) => network.covers(address)) || isPrivateAddress(address);
}

/** What becomes of a connection from a standpoint to an address and port. */
export function pathTo(estate: Estate, standpoint: Standpoint, address: string, port: number): PathOutcome {
  const isPrivate = isPrivatePath(estate, address);
  const rule = standpoint.rules.find(
    ({ to, port: rulePort }) =>
      (to === undefined || to === address || to === (isPrivate ? "private" : "public")) &&
      (rulePort === undefined || rulePort === port),
  );
  if (rule !== undefined) return rule.outcome;
  return isPrivate ? privatePath(estate, standpoint, address, port) : publicPath(estate, address, port);
}

function privatePath(estate: Estate, standpoint: Standpoint, address: string, port: number): PathOutcome {
  const reachable = standpoint.kind === "vnet" || (standpoint.kind === "on-premises" && standpoint.lineUp);
  if (!reachable) return "dropped";
  const endpoint = estate.endpoints.find((each) => !each.deleted && each.addresses.includes(address));
  if (endpoint !== undefined) {
    if (endpoint.connection.status !== "Approved") return standpoint.unapproved;
    const host = endpoint.resource.hosts.find(({ role }) => endpoint.addressOf(role) === address);
    return host?.ports.includes(port) ? "carried" : "dropped";
  }
  const neighbour = estate.networks.flatMap(({ neighbours }) => neighbours.get(address) ?? [])[0];
  if (neighbour === undefined) return "dropped";
  return neighbour === "answers" ? "stranger" : "refused";
}

function publicPath(estate: Estate, address: string, port: number): PathOutcome {
  const known = [...estate.hosts.map(({ host }) => host), ...estate.globalHosts];
  const host = known.find(({ publicAddress }) => publicAddress === address);
  return host?.ports.includes(port) ? "carried" : "dropped";
}
