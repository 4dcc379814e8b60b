import { type Clock, systemClock } from "../../clock.ts";
import { parseNat64Prefix } from "./dns/dns64.ts";
import { type HostsEntry, renderHostsFile } from "./dns/hosts-file.ts";
import type { QueryRecord } from "./dns/name-server.ts";
import { NameServers } from "./dns/name-servers.ts";
import type { DnsView } from "./dns/resolution.ts";
import type { DnsAnswers, NameServerSettings, ViewName } from "./dns/responder.ts";
import { forgedAddress } from "./dns/treatment.ts";
import { AddressBook, type Upstreams } from "./network/address-book.ts";
import type { Arrival, Arrivals } from "./network/arrivals.ts";
import { type Destination, destinationsOf } from "./network/destinations.ts";
import { isPrivatePath, type PathOutcome, type PathRule, type PlaceKind, pathTo } from "./network/path.ts";
import type { Estate } from "./resources/estate.ts";
import { rejected } from "./resources/rejected.ts";
import type { VirtualNetwork } from "./resources/virtual-network.ts";

/** Settings of a place; all can be left out. */
export interface PlaceSettings {
  /** In the order in which the device is told of them. Default: one that sees what the place sees. */
  readonly nameServers?: readonly NameServerSettings[] | undefined;
  /** The virtual network that the place is in or has a line to. Default: the estate's first. */
  readonly network?: VirtualNetwork | undefined;
  /** Of a site: its resolver forwards the public suffixes into the virtual network. Default true. */
  readonly forwarder?: boolean | undefined;
  /** Of a site: the line to the virtual network is up. Default true. */
  readonly lineUp?: boolean | undefined;
  /** Lines of the device's hosts file. */
  readonly hosts?: readonly HostsEntry[] | undefined;
  /** Packet filters and middleboxes on the way. */
  readonly rules?: readonly PathRule[] | undefined;
  /** What a private endpoint does that is not approved. Default dropped; Azure's documents leave it open. */
  readonly unapproved?: "dropped" | "refused" | undefined;
  /** The address by which the internet sees the device. Default: one for each kind of place. */
  readonly egressAddress?: string | undefined;
}

/** What a {@link Place} is made with. */
export interface PlaceOptions {
  readonly estate: Estate;
  readonly upstreams: Upstreams;
  readonly arrivals: Arrivals;
  readonly clock?: Clock | undefined;
}

const egressAddresses: Readonly<Record<PlaceKind, string>> = {
  vnet: "20.61.0.7",
  "on-premises": "62.96.14.7",
  public: "91.12.33.7",
};

/** A name server that sees what its place sees. */
const plainServer: NameServerSettings = {};

/** The address of a device in a site. */
const siteAddress = "10.50.0.4";

/**
 * Where a device stands: what its name servers answer, and what becomes of its connections. A device can move without being
 * told of other ports: name servers and rules keep theirs.
 */
export class Place {
  readonly #estate: Estate;
  readonly #servers: NameServers;
  readonly #book: AddressBook;
  #kind: PlaceKind = "public";
  #settings: PlaceSettings = {};
  #closed = false;
  /** Changes of ports go one after the other. */
  #lastChange: Promise<void> = Promise.resolve();

  private constructor({ estate, upstreams, arrivals, clock = systemClock }: PlaceOptions) {
    this.#estate = estate;
    this.#servers = new NameServers(
      { view: (name) => this.#view(name), hosts: () => this.#settings.hosts ?? [] },
      clock,
    );
    this.#book = new AddressBook({
      clock,
      upstreams,
      arrivals,
      outcomeOf: ({ leadsTo, port }) => this.pathTo(leadsTo, port),
      sourceFor: ({ leadsTo }) => this.#sourceFor(leadsTo),
    });
  }

  /** Opens name servers and ports. Rejects with `emulator.*` errors. */
  static async open(options: PlaceOptions, kind: PlaceKind, settings: PlaceSettings = {}): Promise<Place> {
    const place = new Place(options);
    try {
      await place.move(kind, settings);
    } catch (error) {
      await place.close();
      throw error;
    }
    return place;
  }

  get kind(): PlaceKind {
    return this.#kind;
  }

  get settings(): PlaceSettings {
    return this.#settings;
  }

  /** `127.0.0.1:<port>` of each name server, in order. */
  get nameServers(): readonly string[] {
    return this.#servers.addresses;
  }

  /** The text of the device's hosts file. */
  get hostsFile(): string {
    return renderHostsFile(this.#settings.hosts ?? []);
  }

  /** Rules that carry every address of the world to the loopback port that stands for it; see {@link AddressBook.rules}. */
  get connectTo(): readonly string[] {
    return this.#book.rules;
  }

  /** The connections that reached a port of this place, oldest first; the last 10 000. */
  get arrivals(): readonly Arrival[] {
    return this.#book.log;
  }

  /** The queries that a name server got, oldest first; by the server's place in {@link nameServers}. */
  queries(server = 0): readonly QueryRecord[] {
    return this.#servers.queries(server);
  }

  /** What becomes of a connection to an address and port at this moment. */
  pathTo(address: string, port: number): PathOutcome {
    const { lineUp = true, rules = [], unapproved = "dropped" } = this.#settings;
    return pathTo(this.#estate, { kind: this.#kind, lineUp, rules, unapproved }, address, port);
  }

  /** Puts the device elsewhere, with these settings alone. Its connections are reset. */
  async move(kind: PlaceKind, settings: PlaceSettings = {}): Promise<void> {
    this.#kind = kind;
    this.#book.cut();
    await this.#apply(settings);
  }

  /** Changes some settings; connections stay. */
  async adjust(settings: PlaceSettings): Promise<void> {
    await this.#apply({ ...this.#settings, ...settings });
  }

  /** Brings name servers and ports in line with the world as it is now; needed after a change of resources or networks. */
  settle(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#closed) await this.#book.settle(this.#destinations());
    });
  }

  /** Closes name servers and ports, and cuts every connection. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#inTurn(async () => {
      await Promise.all([this.#book.close(), this.#servers.close()]);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    const done = this.#lastChange.then(change);
    this.#lastChange = done.catch(() => {});
    return done;
  }

  async #apply(settings: PlaceSettings): Promise<void> {
    this.#settings = settings;
    await this.#inTurn(async () => {
      if (this.#closed) throw rejected("this place is closed");
      await this.#servers.apply(settings.nameServers ?? [plainServer]);
      await this.#book.settle(this.#destinations());
    });
  }

  #view(name: ViewName): DnsView {
    const { forwarder = true } = this.#settings;
    const inside = this.#kind === "vnet" || (this.#kind === "on-premises" && forwarder);
    const seesNetwork = name === "virtual-network" || (name === "own" && inside);
    const network = this.#network();
    return { served: seesNetwork && network !== undefined ? network.links : [], internet: this.#estate.internet };
  }

  #network(): VirtualNetwork | undefined {
    return this.#settings.network ?? this.#estate.networks[0];
  }

  #sourceFor(address: string): string {
    const isPrivate = isPrivatePath(this.#estate, address);
    if (!isPrivate) return this.#settings.egressAddress ?? egressAddresses[this.#kind];
    return (this.#kind === "vnet" ? this.#network()?.deviceAddress : undefined) ?? siteAddress;
  }

  #destinations(): readonly Destination[] {
    const servers = this.#settings.nameServers ?? [];
    const answers: readonly DnsAnswers[] = servers.flatMap((each) => (each.flip ? [each, each.flip.to] : [each]));
    const zones = answers.flatMap((each) => each.zones ?? []);
    const prefixes = answers.flatMap(({ dns64 }) => (dns64 === undefined ? [] : [parseNat64Prefix(dns64)]));
    const others = [
      ...(answers.some(({ treatments }) => treatments !== undefined) ? [forgedAddress] : []),
      ...zones.flatMap(({ addresses }) => addresses),
      ...(this.#settings.hosts ?? []).map(({ address }) => address),
    ];
    return destinationsOf(this.#estate, others, prefixes);
  }
}
