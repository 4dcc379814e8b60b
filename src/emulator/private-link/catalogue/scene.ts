import type { PlaceKind } from "../network/path.ts";
import type { PlaceSettings } from "../place.ts";
import { Estate } from "../resources/estate.ts";
import type { PrivateEndpoint, PrivateEndpointSettings } from "../resources/private-endpoint.ts";
import type { Resource, ResourceSettings } from "../resources/resource.ts";
import type { ResourceKind } from "../resources/service-names.ts";
import type { VirtualNetwork } from "../resources/virtual-network.ts";

/** Names of a scene's resources; all can be left out. */
export interface SceneNames {
  /** Default `mydps`. */
  readonly dps?: string | undefined;
  /** Default `0ne00000001`. */
  readonly idScope?: string | undefined;
  /** Default `myhub`. */
  readonly hub?: string | undefined;
  /** Default `myupdates`. */
  readonly "device-update"?: string | undefined;
  /** Default `mytwins`. */
  readonly "digital-twins"?: string | undefined;
}

/** Where the device of a scene stands. */
export interface SceneStandpoint {
  readonly kind: PlaceKind;
  readonly settings: PlaceSettings;
}

/**
 * One resource of each kind, each with an approved private endpoint in one virtual network, its private DNS zones linked, public
 * network access still enabled. Nothing is wrong here; a row of the catalogue changes what it is about. A model only.
 */
export class Scene {
  readonly estate = new Estate();
  readonly network: VirtualNetwork;
  readonly #resources = new Map<ResourceKind, Resource>();
  readonly #endpoints = new Map<ResourceKind, PrivateEndpoint>();

  /** @param addressSpace of the virtual network; default 10.20.0.0/24 */
  constructor(names: SceneNames = {}, addressSpace?: string) {
    const { dps = "mydps", idScope = "0ne00000001", hub = "myhub" } = names;
    this.network = this.estate.network("plant", addressSpace);
    this.#add("dps", dps, { idScope });
    this.#add("hub", hub);
    this.#add("device-update", names["device-update"] ?? "myupdates");
    this.#add("digital-twins", names["digital-twins"] ?? "mytwins");
  }

  /** The resource of a kind. */
  resource(kind: ResourceKind): Resource {
    return this.#resources.get(kind) as Resource;
  }

  /** The private endpoint of a kind of resource. */
  endpoint(kind: ResourceKind): PrivateEndpoint {
    return this.#endpoints.get(kind) as PrivateEndpoint;
  }

  /** Deletes the private endpoint of a kind of resource and makes another, which gets another address. */
  renewEndpoint(kind: ResourceKind, settings: PrivateEndpointSettings = {}): PrivateEndpoint {
    this.endpoint(kind).delete();
    const endpoint = this.estate.connect(this.resource(kind), this.network, settings);
    this.#endpoints.set(kind, endpoint);
    return endpoint;
  }

  /** Takes the links to a resource's private DNS zones away. */
  unlinkZones(kind: ResourceKind): void {
    for (const { zone } of this.resource(kind).hosts) this.network.unlink(this.estate.zone(zone));
  }

  #add(kind: ResourceKind, name: string, settings?: ResourceSettings): void {
    const resource = this.estate.create(kind, name, settings);
    this.#resources.set(kind, resource);
    this.#endpoints.set(kind, this.estate.connect(resource, this.network));
  }
}
