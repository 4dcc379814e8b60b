import { isPublicAddress } from "./address-space.ts";
import type { PrivateEndpointConnection } from "./endpoint-connection.ts";
import { checkIpFilter, type IpFilterRule } from "./ip-filter.ts";
import { rejected } from "./rejected.ts";
import {
  type Cloud,
  globalHostName,
  type HostFacts,
  type HostRole,
  kindFacts,
  type ResourceKind,
  regionalSuffixes,
} from "./service-names.ts";

/** One name of a resource, and where it leads without a private endpoint. */
export interface ResourceHost {
  readonly role: HostRole;
  /** The name that clients use. */
  readonly name: string;
  /** The name that it becomes an alias of once a private endpoint exists. */
  readonly privatelinkName: string;
  /** The private DNS zone in which automatic records appear. */
  readonly zone: string;
  /** The aliases behind it on the internet; the last one owns the public address. Empty: no further alias. */
  readonly tail: readonly string[];
  readonly publicAddress: string;
  /** TCP ports that answer here. */
  readonly ports: readonly number[];
}

/** Settings of a resource; all can be left out. */
export interface ResourceSettings {
  /** Default public. */
  readonly cloud?: Cloud | undefined;
  /** Short name of the region. Default `eus`. */
  readonly region?: string | undefined;
  /** Of a DPS: what devices call it by. */
  readonly idScope?: string | undefined;
  readonly publicNetworkAccess?: "enabled" | "disabled" | undefined;
  readonly ipFilter?: readonly IpFilterRule[] | undefined;
  /** Of a hub: whether the rules hold at its built-in Event Hubs-compatible endpoint too. Default false. */
  readonly ipFilterCoversEvents?: boolean | undefined;
  /** One for each name of the resource, own name first. Default: free ones are taken. */
  readonly publicAddresses?: readonly string[] | undefined;
  /** Default: a load balancer's name and a machine's name of the region. */
  readonly tail?: readonly string[] | undefined;
  /** The private DNS zone, where Azure's documents name more than one (Device Update). */
  readonly privateZone?: string | undefined;
}

/** What a {@link Resource} is made with. */
export interface ResourceIdentity {
  readonly kind: ResourceKind;
  readonly name: string;
  /** One for each name of the resource, own name first. */
  readonly publicAddresses: readonly string[];
  /** Addresses of names that it shares with others, such as the global device endpoint. */
  readonly sharedAddresses?: readonly string[];
}

/** A DPS, an IoT hub, a Device Update account or a Digital Twins instance, seen from the network. */
export class Resource {
  readonly kind: ResourceKind;
  readonly name: string;
  readonly cloud: Cloud;
  readonly idScope: string | undefined;
  readonly hosts: readonly ResourceHost[];
  /** Addresses of names that it shares with others, such as the global device endpoint. */
  readonly sharedAddresses: readonly string[];
  publicNetworkAccess: "enabled" | "disabled";
  ipFilterCoversEvents: boolean;
  #ipFilter: readonly IpFilterRule[] = [];
  readonly #connections: PrivateEndpointConnection[] = [];

  /** Throws `emulator.rejected` for a name, address or rule that Azure would not take. */
  constructor(
    { kind, name, publicAddresses, sharedAddresses = [] }: ResourceIdentity,
    settings: ResourceSettings = {},
  ) {
    const { cloud = "public", region = "eus" } = settings;
    if (!/^[a-z0-9]([a-z0-9-]{1,48}[a-z0-9])$/.test(name)) {
      throw rejected(`expected a name of 3 to 50 lower-case letters, digits and hyphens, got "${name}"`);
    }
    this.kind = kind;
    this.name = name;
    this.cloud = cloud;
    this.idScope = settings.idScope;
    this.sharedAddresses = sharedAddresses;
    this.hosts = kindFacts[kind].hosts.map((facts, at) =>
      hostOf(facts, { kind, name, cloud, region, publicAddress: publicAddresses[at] ?? "", settings }),
    );
    this.publicNetworkAccess = settings.publicNetworkAccess ?? "enabled";
    this.ipFilterCoversEvents = settings.ipFilterCoversEvents ?? false;
    this.ipFilter = settings.ipFilter ?? [];
  }

  /** In order; the first rule that matches decides. Ignored while public network access is disabled. */
  get ipFilter(): readonly IpFilterRule[] {
    return this.#ipFilter;
  }

  set ipFilter(rules: readonly IpFilterRule[]) {
    if (rules.length > 0 && this.kind !== "dps" && this.kind !== "hub") {
      throw rejected(`${this.name}: IP filter rules exist for a DPS and an IoT hub only`);
    }
    checkIpFilter(rules);
    this.#ipFilter = rules;
  }

  /** The private endpoint connections; one that the owner removed stays until the consumer deletes its private endpoint. */
  get connections(): readonly PrivateEndpointConnection[] {
    return this.#connections;
  }

  /** A private endpoint was created for this resource. */
  attach(connection: PrivateEndpointConnection): void {
    this.#connections.push(connection);
  }

  /** The private endpoint was deleted by its consumer. */
  detach(connection: PrivateEndpointConnection): void {
    const at = this.#connections.indexOf(connection);
    if (at >= 0) this.#connections.splice(at, 1);
  }

  /** The name of a role. Throws `emulator.rejected` when this kind of resource has none. */
  host(role: HostRole = "service"): ResourceHost {
    const host = this.hosts.find((each) => each.role === role);
    if (host === undefined) throw rejected(`${this.name} has no ${role} endpoint`);
    return host;
  }
}

interface HostSource {
  readonly kind: ResourceKind;
  readonly name: string;
  readonly cloud: Cloud;
  readonly region: string;
  readonly publicAddress: string;
  readonly settings: ResourceSettings;
}

function hostOf(facts: HostFacts, source: HostSource): ResourceHost {
  const { kind, name, cloud, region, publicAddress, settings } = source;
  const suffix = facts.suffix[cloud];
  if (suffix === undefined) throw rejected(`${kindFacts[kind].title} is not documented for the cloud ${cloud}`);
  if (!isPublicAddress(publicAddress)) {
    throw rejected(`${name}: expected an address that is routed on the internet, got "${publicAddress}"`);
  }
  const labels = facts.labels(name, region);
  const host = `${labels}.${suffix}`;
  if (host === globalHostName(cloud)) throw rejected(`${host} is taken: it is the global device endpoint`);
  const zone = (facts.role === "service" ? settings.privateZone : undefined) ?? `privatelink.${suffix}`;
  return {
    role: facts.role,
    name: host,
    privatelinkName: privatelinkNameOf(host, zone),
    zone,
    tail: settings.tail ?? regionalNames(`${kind}-${labels.replaceAll(".", "-")}`, cloud, region),
    publicAddress,
    ports: facts.ports,
  };
}

/** The name with `privatelink` put in where the zone has it: `a.api.adu.example` in `privatelink.adu.example` is `a.api.privatelink.adu.example`. */
function privatelinkNameOf(host: string, zone: string): string {
  const suffix = zone.replace(/^privatelink\./, "");
  if (zone === suffix || !host.endsWith(`.${suffix}`)) {
    throw rejected(`expected a zone "privatelink.<suffix of ${host}>", got "${zone}"`);
  }
  return `${host.slice(0, -suffix.length)}${zone}`;
}

function regionalNames(label: string, cloud: Cloud, region: string): readonly string[] {
  const [balancer, machine] = regionalSuffixes[cloud];
  return [`${label}.${balancer}`, `${label}-001.${region}.${machine}`];
}
