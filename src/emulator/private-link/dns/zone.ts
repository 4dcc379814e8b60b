import { canonicalName, type ZoneAuthority } from "./message.ts";

/** What one name holds: an alias, or addresses. */
export interface ZoneEntry {
  /** The name that this one is an alias of; nothing else is looked at then. */
  readonly cname?: string;
  /** IPv4 addresses. */
  readonly a?: readonly string[];
  /** IPv6 addresses. */
  readonly aaaa?: readonly string[];
  /** Seconds. Default {@link DnsZone.ttl}. */
  readonly ttl?: number;
}

/** What Azure names as the primary server of a private zone. */
export const privateZonePrimary = "azureprivatedns.net";

/** A DNS zone: a suffix, its records, and the authority to say that a name does not exist. */
export class DnsZone {
  /** Lower case, without the final dot; empty for the root. */
  readonly name: string;
  readonly primary: string;
  /** Seconds, for entries that name none. */
  readonly ttl: number;
  readonly #entries = new Map<string, ZoneEntry>();

  /** @param primary name of the primary server; default that of Azure's private zones */
  constructor(name: string, primary: string = privateZonePrimary, ttl = 10) {
    this.name = canonicalName(name);
    this.primary = primary;
    this.ttl = ttl;
  }

  get authority(): ZoneAuthority {
    return { zone: this.name, primary: this.primary };
  }

  /** The names that have an entry. */
  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** Every address that an entry holds. */
  get addresses(): readonly string[] {
    return [...this.#entries.values()].flatMap(({ a = [], aaaa = [] }) => [...a, ...aaaa]);
  }

  /** Whether a name belongs to this zone: the zone's own name, or one below. */
  covers(name: string): boolean {
    return this.name === "" || name === this.name || name.endsWith(`.${this.name}`);
  }

  /** Puts an entry in the place of what the name held. `*.<zone>` answers for every name below that has no entry. */
  set(name: string, entry: ZoneEntry): this {
    this.#entries.set(canonicalName(name), entry);
    return this;
  }

  remove(name: string): void {
    this.#entries.delete(canonicalName(name));
  }

  /** What a name holds; undefined when it does not exist. A name that only has names below it exists and holds nothing. */
  find(name: string): ZoneEntry | undefined {
    const entry = this.#entries.get(name);
    if (entry !== undefined) return entry;
    if (name === this.name || this.names.some((each) => each.endsWith(`.${name}`))) return {};
    return this.#entries.get(this.name === "" ? "*" : `*.${this.name}`);
  }
}

/** A zone in which every name has the same address: a search domain with a wildcard; with the name "" a captive portal. */
export function wildcardZone(name: string, address: string): DnsZone {
  const zone = new DnsZone(name, `ns.${name === "" ? "captive.example" : name}`);
  return zone.set(zone.name === "" ? "*" : `*.${zone.name}`, { a: [address] });
}
