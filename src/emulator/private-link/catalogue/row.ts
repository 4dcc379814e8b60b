import type { PathOutcome } from "../network/path.ts";
import type { PlaceSettings } from "../place.ts";
import type { Resource } from "../resources/resource.ts";
import { type HostRole, type ResourceKind, resourceKinds } from "../resources/service-names.ts";
import type { Scene, SceneStandpoint } from "./scene.ts";

/**
 * What a name server says about a name.
 *
 * - `private`: alias of the privatelink name, which owns an address of the virtual network
 * - `private-without-privatelink`: an address of the virtual network, owned by the name itself
 * - `public-behind-privatelink`: alias of the privatelink name, which is an alias of public names
 * - `public`: no privatelink name in the chain
 * - `record-missing`: no such name, with the alias of the privatelink name and the authority of the private zone
 * - `not-found`: no such name, no alias
 * - `address-stripped`: the privatelink name, but no address and no authority
 * - `forged`: a private address of which the world knows nothing
 * - `servfail`, `refused`: that code
 * - `silent`: no answer at all; `absent`: no name server runs there
 * - `cut`: truncated, and the rest cannot be had over TCP
 * - `unusable`: an answer that breaks off, runs in a circle, or never ends
 */
export type DnsSight =
  | "private"
  | "private-without-privatelink"
  | "public-behind-privatelink"
  | "public"
  | "record-missing"
  | "not-found"
  | "address-stripped"
  | "forged"
  | "servfail"
  | "refused"
  | "silent"
  | "absent"
  | "cut"
  | "unusable";

/** What a client sees at one name and port. */
export interface Sight {
  readonly host: string;
  readonly port: number;
  /** One for each name server of the place, in order. */
  readonly dns: readonly DnsSight[];
  /** At the addresses of the first answer that has one; `not-reached` when there is none to dial. */
  readonly tcp: PathOutcome | "not-reached";
  /** Whether the service talks to a client with good credentials; `none` when it is not reached. */
  readonly application: "answers" | "refuses" | "none";
}

/**
 * How sure it is that the real service behaves so: it says so in its documentation; it was seen in a lab with real packet filters
 * and resolvers; or nobody has published it, and this is what is likely.
 */
export type Basis = "documented" | "observed" | "likely";

/** What can go wrong, and a world in which it does. */
export interface StagedRow {
  /** Stable name. */
  readonly id: string;
  /** What is wrong, for people. */
  readonly cause: string;
  readonly basis: Basis;
  /** The kinds of resources that it can be staged for; the first is the default. */
  readonly kinds: readonly ResourceKind[];
  /** Changes the scene for this kind of resource, and says where the device stands. */
  readonly stage: (scene: Scene, kind: ResourceKind) => SceneStandpoint;
  /** What the device then sees; the name that the row is about comes first. */
  readonly sights: (scene: Scene, kind: ResourceKind) => readonly Sight[];
}

/** The port that a device or tool uses first at a name. */
export function usualPort(kind: ResourceKind, role: HostRole = "service"): number {
  if (role === "events") return 5671;
  return kind === "dps" || kind === "hub" ? 8883 : 443;
}

/** A sight of a resource's own name at its usual port, on the healthy private path but for what is given. */
export function sightOf(resource: Resource, changes: Partial<Sight> & { readonly role?: HostRole } = {}): Sight {
  const { role = "service", ...rest } = changes;
  return {
    host: resource.host(role).name,
    port: usualPort(resource.kind, role),
    dns: ["private"],
    tcp: "carried",
    application: "answers",
    ...rest,
  };
}

/** What a row is written with. */
interface RowParts {
  readonly cause: string;
  readonly basis: Basis;
  /** Default: every kind. */
  readonly kinds?: readonly ResourceKind[];
  readonly stage: StagedRow["stage"];
  /** What differs from the healthy private path at the row's resource; or every sight. */
  readonly sees: SightChange | StagedRow["sights"];
}

/** A row of the catalogue. */
export function row(id: string, { cause, basis, kinds = resourceKinds, stage, sees }: RowParts): StagedRow {
  const sights =
    typeof sees === "function" ? sees : (scene: Scene, kind: ResourceKind) => [sightOf(scene.resource(kind), sees)];
  return { id, cause, basis, kinds, stage, sights };
}

/** The device stands in the virtual network. */
export const insideNetwork = (settings: PlaceSettings = {}): SceneStandpoint => ({ kind: "vnet", settings });

/** The device stands in a site with a line to the virtual network. */
export const inSite = (settings: PlaceSettings = {}): SceneStandpoint => ({ kind: "on-premises", settings });

/** The device stands on the public internet. */
export const outside = (settings: PlaceSettings = {}): SceneStandpoint => ({ kind: "public", settings });

/** The kinds of resources that devices speak MQTT to. */
export const withDevices: readonly ResourceKind[] = ["dps", "hub"];

/** How a sight differs from the healthy private path. */
export type SightChange = Partial<Omit<Sight, "host">>;

/** The public path works, and nobody notices. */
export const unnoticed: SightChange = { dns: ["public-behind-privatelink"] };

/** The public path leads to a service that refuses. */
export const refusedOutside: SightChange = { dns: ["public-behind-privatelink"], application: "refuses" };

/** The service is not reached. */
export const nothing = { application: "none" } as const satisfies SightChange;

/** There is no address to dial. */
export const unanswered = { tcp: "not-reached", application: "none" } as const satisfies SightChange;

/** The private zone says that the name does not exist. */
export const recordMissing: SightChange = { dns: ["record-missing"], ...unanswered };
