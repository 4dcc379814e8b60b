import { type Clock, systemClock } from "../../clock.ts";
import { canonicalName } from "./dns/message.ts";
import type { DnsZone } from "./dns/zone.ts";
import type { Upstreams } from "./network/address-book.ts";
import { type Arrival, Arrivals, type ListenerSocket } from "./network/arrivals.ts";
import type { PlaceKind } from "./network/path.ts";
import { Place, type PlaceSettings } from "./place.ts";
import { type Admission, admission } from "./resources/admission.ts";
import { Estate } from "./resources/estate.ts";
import type { PrivateEndpoint, PrivateEndpointSettings } from "./resources/private-endpoint.ts";
import { rejected } from "./resources/rejected.ts";
import type { Resource, ResourceSettings } from "./resources/resource.ts";
import { globalHostName } from "./resources/service-names.ts";
import type { VirtualNetwork } from "./resources/virtual-network.ts";

/** What a {@link PrivateLinkWorld} is made with. */
export interface WorldOptions {
  readonly upstreams: Upstreams;
  /** Default: the machine's own. */
  readonly clock?: Clock | undefined;
  /** What there is already. Default: nothing. */
  readonly estate?: Estate | undefined;
}

/** Who asks for which service, by which path. */
export interface Caller {
  /** The name in the TLS handshake (SNI). */
  readonly serverName: string;
  /** How the connection came in; see {@link PrivateLinkWorld.resolveArrival}. */
  readonly arrival: Pick<Arrival, "address" | "from">;
  /** The DPS that is meant, where the name is the global device endpoint's. */
  readonly idScope?: string | undefined;
}

/**
 * Resources with private endpoints, the networks around them, and the places that devices stand in: name servers that answer as
 * they would there, and a loopback port for each address that those answers lead to.
 *
 *     const world = new PrivateLinkWorld({ upstreams: { services: { 8883: mqttPort, 443: webSocketPort } } });
 *     const dps = world.dps("mydps", { idScope: "0ne00000001" });
 *     world.privateEndpoint(dps);
 *     const place = await world.place("vnet");
 *     // place.nameServers, place.connectTo and place.hostsFile go into the device's configuration
 *
 * Changes of resources, endpoints, zones and networks show in DNS and at the service at once; ports that are to start or stop
 * dropping or refusing follow at the next {@link settle}.
 */
export class PrivateLinkWorld {
  /** Resources, networks, endpoints and zones. */
  readonly estate: Estate;
  readonly #arrivals = new Arrivals();
  readonly #places: Place[] = [];
  readonly #upstreams: Upstreams;
  readonly #clock: Clock;
  #closed = false;

  constructor({ upstreams, clock = systemClock, estate = new Estate() }: WorldOptions) {
    this.estate = estate;
    this.#upstreams = upstreams;
    this.#clock = clock;
  }

  /** Creates a DPS. Throws `emulator.rejected`, as the other creators do, for what Azure would not take. */
  dps(name: string, settings?: ResourceSettings): Resource {
    return this.estate.create("dps", name, settings);
  }

  /** Creates an IoT hub with its built-in Event Hubs-compatible endpoint. */
  hub(name: string, settings?: ResourceSettings): Resource {
    return this.estate.create("hub", name, settings);
  }

  /** Creates a Device Update account. */
  deviceUpdate(name: string, settings?: ResourceSettings): Resource {
    return this.estate.create("device-update", name, settings);
  }

  /** Creates a Digital Twins instance. */
  digitalTwins(name: string, settings?: ResourceSettings): Resource {
    return this.estate.create("digital-twins", name, settings);
  }

  /** A virtual network, created when it is first asked for. Default name: `plant`. */
  network(name = "plant", addressSpace?: string): VirtualNetwork {
    return this.estate.network(name, addressSpace);
  }

  /** A private DNS zone, created when it is first asked for. */
  zone(name: string): DnsZone {
    return this.estate.zone(name);
  }

  /** Creates a private endpoint. Default network: `plant`. */
  privateEndpoint(
    resource: Resource,
    { network = this.network(), ...settings }: PrivateEndpointSettings & { readonly network?: VirtualNetwork } = {},
  ): PrivateEndpoint {
    return this.estate.connect(resource, network, settings);
  }

  /** Opens the place that a device stands in. Rejects with `emulator.*` errors. */
  async place(kind: PlaceKind, settings?: PlaceSettings): Promise<Place> {
    if (this.#closed) throw rejected("this world is closed");
    const place = await Place.open(
      { estate: this.estate, upstreams: this.#upstreams, arrivals: this.#arrivals, clock: this.#clock },
      kind,
      settings,
    );
    this.#places.push(place);
    return place;
  }

  /** Brings the ports of every place in line with the world as it is now. */
  async settle(): Promise<void> {
    for (const place of this.#places) await place.settle();
  }

  /**
   * How a connection came in that a service's listener accepted; known before its first byte. Undefined when it did not come
   * through a place.
   */
  resolveArrival(socket: ListenerSocket): Arrival | undefined {
    return this.#arrivals.resolve(socket);
  }

  /**
   * What becomes of a caller. Undefined when the name is no resource's. At the global device endpoint the DPS is known by its id
   * scope only, so without one the caller is let in, and judged when it registers.
   */
  admit({ serverName, arrival, idScope }: Caller): Admission | undefined {
    const name = canonicalName(serverName);
    const path = { arrivedAt: arrival.address, from: arrival.from };
    const isGlobal = (["public", "usgov", "china"] as const).some((cloud) => globalHostName(cloud) === name);
    if (isGlobal && idScope === undefined) return { carried: true, path: "public" };
    const resource = isGlobal ? this.estate.dpsOfScope(idScope ?? "") : this.estate.resourceOf(name);
    return resource && admission(resource, path);
  }

  /** Closes every place. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#places.map((place) => place.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
