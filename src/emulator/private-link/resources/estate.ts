import { internetZones, type SharedHost } from "../dns/internet-names.ts";
import { canonicalName } from "../dns/message.ts";
import { DnsZone } from "../dns/zone.ts";
import { ipv4Number, ipv4Text } from "./ipv4.ts";
import { PrivateEndpoint, type PrivateEndpointSettings } from "./private-endpoint.ts";
import { rejected } from "./rejected.ts";
import { Resource, type ResourceHost, type ResourceSettings } from "./resource.ts";
import { type Cloud, globalHostName, kindFacts, type ResourceKind, regionalSuffixes } from "./service-names.ts";
import { VirtualNetwork } from "./virtual-network.ts";

/** The public address of each cloud's global device endpoint here. */
const globalAddresses: Readonly<Record<Cloud, string>> = {
  public: "20.42.0.20",
  usgov: "52.127.0.20",
  china: "40.72.0.20",
};

/** Public addresses are given out from here on. */
const firstPublicAddress = "20.42.0.10";

/**
 * Everything the owner has in Azure that decides what a device sees: resources, virtual networks, private endpoints and private
 * DNS zones. A model only; nothing here listens or dials.
 */
export class Estate {
  readonly #resources: Resource[] = [];
  readonly #networks: VirtualNetwork[] = [];
  readonly #endpoints: PrivateEndpoint[] = [];
  readonly #zones = new Map<string, DnsZone>();
  readonly #taken = new Set<string>(Object.values(globalAddresses));
  #nextPublic = ipv4Number(firstPublicAddress) ?? 0;

  get resources(): readonly Resource[] {
    return this.#resources;
  }

  get networks(): readonly VirtualNetwork[] {
    return this.#networks;
  }

  /** The private endpoints that ever were, deleted ones included. */
  get endpoints(): readonly PrivateEndpoint[] {
    return this.#endpoints;
  }

  get zones(): readonly DnsZone[] {
    return [...this.#zones.values()];
  }

  /** Creates a resource. Throws `emulator.rejected` when one of its names or addresses is taken or not possible. */
  create(kind: ResourceKind, name: string, settings: ResourceSettings = {}): Resource {
    const { cloud = "public", publicAddresses = kindFacts[kind].hosts.map(() => this.#freePublicAddress()) } = settings;
    const sharedAddresses = kind === "dps" ? [globalAddresses[cloud]] : [];
    const resource = new Resource({ kind, name, publicAddresses, sharedAddresses }, settings);
    for (const host of resource.hosts) {
      if (this.resourceOf(host.name) !== undefined) throw rejected(`the name ${host.name} is taken`);
      if (this.#taken.has(host.publicAddress)) throw rejected(`the address ${host.publicAddress} is taken`);
    }
    for (const { publicAddress } of resource.hosts) this.#taken.add(publicAddress);
    this.#resources.push(resource);
    return resource;
  }

  /** A virtual network, created when it is first asked for. @param addressSpace default: 10.20.0.0/24, 10.21.0.0/24 … */
  network(name: string, addressSpace?: string): VirtualNetwork {
    const known = this.#networks.find((each) => each.name === name);
    if (known !== undefined) return known;
    const network = new VirtualNetwork(name, addressSpace ?? `10.${20 + this.#networks.length}.0.0/24`);
    this.#networks.push(network);
    return network;
  }

  /** A private DNS zone, created when it is first asked for. */
  zone(name: string): DnsZone {
    const zone = this.#zones.get(canonicalName(name)) ?? new DnsZone(name);
    this.#zones.set(zone.name, zone);
    return zone;
  }

  /**
   * Creates a private endpoint. Unless zones are given, the recommended ones are created where they lack and linked to the
   * network, which is what "integrate with private DNS zone" does.
   */
  connect(resource: Resource, network: VirtualNetwork, settings: PrivateEndpointSettings = {}): PrivateEndpoint {
    const zones = settings.zones ?? resource.hosts.map(({ zone }) => this.zone(zone));
    if (settings.zones === undefined) {
      for (const zone of zones) if (!network.isLinked(zone)) network.link(zone);
    }
    const name = settings.name ?? `${resource.name}-endpoint-${this.#endpoints.length + 1}`;
    const endpoint = new PrivateEndpoint(resource, network, { ...settings, name, zones });
    this.#endpoints.push(endpoint);
    return endpoint;
  }

  /** The resource that has a name. */
  resourceOf(hostName: string): Resource | undefined {
    return this.#resources.find(({ hosts }) => hosts.some(({ name }) => name === hostName));
  }

  /** The DPS that devices call by an id scope. */
  dpsOfScope(idScope: string): Resource | undefined {
    return this.#resources.find((each) => each.idScope === idScope);
  }

  /** The names of the resources, each with its owner. */
  get hosts(): readonly { readonly resource: Resource; readonly host: ResourceHost }[] {
    return this.#resources.flatMap((resource) => resource.hosts.map((host) => ({ resource, host })));
  }

  /** The global device endpoint of each cloud that has a resource, and of the public cloud. */
  get globalHosts(): readonly SharedHost[] {
    const clouds = new Set<Cloud>(["public", ...this.#resources.map(({ cloud }) => cloud)]);
    return [...clouds].map((cloud) => ({
      name: globalHostName(cloud),
      tail: [`dps-global.${regionalSuffixes[cloud][0]}`],
      publicAddress: globalAddresses[cloud],
      ports: kindFacts.dps.hosts[0]?.ports ?? [],
    }));
  }

  /** What the internet's name servers answer at this moment. An endpoint shows until its consumer deletes it. */
  get internet(): readonly DnsZone[] {
    const connected = new Set(this.#endpoints.filter(({ deleted }) => !deleted).map(({ resource }) => resource));
    return internetZones(
      this.hosts.map(({ resource, host }) => ({ ...host, hasPrivateEndpoint: connected.has(resource) })),
      this.globalHosts,
    );
  }

  #freePublicAddress(): string {
    for (;;) {
      const address = ipv4Text(this.#nextPublic);
      this.#nextPublic += 1;
      if (!this.#taken.has(address)) return address;
    }
  }
}
