import type { ServedZone } from "../dns/resolution.ts";
import type { DnsZone } from "../dns/zone.ts";
import { type Ipv4Range, inIpv4Range, ipv4Text, parseIpv4Range, sizeOfRange } from "./ipv4.ts";
import { rejected } from "./rejected.ts";

/** What a machine does that has an address which once was a private endpoint's: it refuses, or it is some other TLS server. */
export type Neighbour = "refuses" | "answers";

/** Azure keeps the first four addresses of a subnet; the fifth goes to the device of the place here. */
const firstEndpointOffset = 5;

/** A virtual network: addresses for private endpoints, and links to private DNS zones. Networks of one owner are peered. */
export class VirtualNetwork {
  readonly name: string;
  /** The address of a device inside. */
  readonly deviceAddress: string;
  readonly #range: Ipv4Range;
  readonly #links = new Map<DnsZone, { readonly fallbackToInternet: boolean }>();
  readonly #neighbours = new Map<string, Neighbour>();
  #next = firstEndpointOffset;

  /** @param addressSpace such as `10.20.0.0/24`; any range, for some owners use public ones. Throws `emulator.rejected`. */
  constructor(name: string, addressSpace: string) {
    const range = parseIpv4Range(addressSpace);
    if (range === undefined || range.prefix < 8 || range.prefix > 28) {
      throw rejected(`virtual network ${name}: expected a range between /8 and /28, got "${addressSpace}"`);
    }
    this.name = name;
    this.#range = range;
    this.deviceAddress = ipv4Text(range.base + 4);
  }

  /** Whether an address belongs to this network, taken or not. */
  covers(address: string): boolean {
    return inIpv4Range(address, this.#range);
  }

  /** A free address; none is given out twice, as a new endpoint seldom gets its predecessor's. */
  allocate(): string {
    // The last address of a range is its broadcast address.
    if (this.#next >= sizeOfRange(this.#range) - 1) throw rejected(`virtual network ${this.name} has no free address`);
    const address = ipv4Text(this.#range.base + this.#next);
    this.#next += 1;
    return address;
  }

  /** The private DNS zones that resolvers here answer from. */
  get links(): readonly ServedZone[] {
    return [...this.#links].map(([zone, { fallbackToInternet }]) => ({ zone, fallbackToInternet }));
  }

  /** Links a zone. `fallbackToInternet`: names that the zone lacks are asked for on the internet (`NxDomainRedirect`). */
  link(zone: DnsZone, { fallbackToInternet = false }: { readonly fallbackToInternet?: boolean } = {}): void {
    this.#links.set(zone, { fallbackToInternet });
  }

  /** Whether a zone is linked. */
  isLinked(zone: DnsZone): boolean {
    return this.#links.has(zone);
  }

  unlink(zone: DnsZone): void {
    this.#links.delete(zone);
  }

  /** Machines of others at addresses of this network. */
  get neighbours(): ReadonlyMap<string, Neighbour> {
    return this.#neighbours;
  }

  /** Puts some other machine at an address. */
  settle(address: string, neighbour: Neighbour): void {
    this.#neighbours.set(address, neighbour);
  }
}
