import type { DnsZone } from "../dns/zone.ts";
import { PrivateEndpointConnection } from "./endpoint-connection.ts";
import { rejected } from "./rejected.ts";
import type { Resource, ResourceHost } from "./resource.ts";
import { type HostRole, kindFacts } from "./service-names.ts";
import type { VirtualNetwork } from "./virtual-network.ts";

/** Settings of a private endpoint; all can be left out. */
export interface PrivateEndpointSettings {
  /** Default: the resource's name with a number. */
  readonly name?: string | undefined;
  /** Default automatic. */
  readonly approval?: "automatic" | "manual" | undefined;
  /** For the owner, with a manual approval. */
  readonly requestMessage?: string | undefined;
  /** Must be the resource's own (`iotDps`, `iotHub`, `DeviceUpdate`, `API`). */
  readonly subResource?: string | undefined;
  /**
   * The zones in which records appear by themselves; only those with a recommended name get one.
   * Default: the recommended zones.
   */
  readonly zones?: readonly DnsZone[] | undefined;
}

/** A network interface in a virtual network that leads to one resource, as its consumer sees it. */
export class PrivateEndpoint {
  readonly resource: Resource;
  readonly network: VirtualNetwork;
  /** The owner's side of it. */
  readonly connection: PrivateEndpointConnection;
  readonly #zones: readonly DnsZone[];
  #deleted = false;

  /** Throws `emulator.rejected` for a sub-resource that the resource does not have. */
  constructor(resource: Resource, network: VirtualNetwork, settings: PrivateEndpointSettings & { name: string }) {
    const { subResource } = kindFacts[resource.kind];
    if (settings.subResource !== undefined && settings.subResource !== subResource) {
      throw rejected(`${resource.name} has the sub-resource ${subResource}, not "${settings.subResource}"`);
    }
    this.resource = resource;
    this.network = network;
    this.#zones = settings.zones ?? [];
    this.connection = new PrivateEndpointConnection({
      ...settings,
      addresses: new Map(resource.hosts.map(({ role }) => [role, network.allocate()])),
    });
    resource.attach(this.connection);
    for (const host of resource.hosts) {
      this.#zoneOf(host)?.set(host.privatelinkName, { a: [this.addressOf(host.role)] });
    }
  }

  get name(): string {
    return this.connection.name;
  }

  get deleted(): boolean {
    return this.#deleted;
  }

  /** The addresses, one for each name of the resource; they never change. */
  get addresses(): readonly string[] {
    return [...this.connection.addresses.values()];
  }

  /** The address for one name of the resource. */
  addressOf(role: HostRole = "service"): string {
    return this.connection.addresses.get(role) ?? "";
  }

  /**
   * Deletes the endpoint: nothing answers at its addresses any more. Its records go too, also when a second endpoint of the same
   * resource has written its address there since: two endpoints in one zone delete each other's records.
   */
  delete(): void {
    if (this.#deleted) return;
    this.#deleted = true;
    this.resource.detach(this.connection);
    for (const host of this.resource.hosts) this.#zoneOf(host)?.remove(host.privatelinkName);
  }

  #zoneOf({ zone }: ResourceHost): DnsZone | undefined {
    return this.#zones.find(({ name }) => name === zone);
  }
}
