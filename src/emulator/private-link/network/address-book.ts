import type { Socket } from "node:net";
import type { Clock } from "../../../clock.ts";
import type { Arrival, Arrivals } from "./arrivals.ts";
import type { Destination } from "./destinations.ts";
import { passThrough } from "./passage.ts";
import type { PathOutcome } from "./path.ts";
import { type FrontMode, TcpFront } from "./tcp-front.ts";

/** The listeners behind the world's addresses, as loopback ports. */
export interface Upstreams {
  /** By the port that clients dial: 443, 8883, 5671. A port that is not listed refuses. */
  readonly services: Readonly<Record<number, number>>;
  /** A TLS server with a certificate that is for none of the names, for addresses that were given to somebody else. */
  readonly stranger?: number | undefined;
}

/** What an {@link AddressBook} is made with. */
export interface AddressBookOptions {
  readonly clock: Clock;
  readonly upstreams: Upstreams;
  readonly arrivals: Arrivals;
  /** What becomes of a connection at this moment. */
  readonly outcomeOf: (destination: Destination) => PathOutcome;
  /** The address that a client of this place comes from at a destination. */
  readonly sourceFor: (destination: Destination) => string;
}

/** Connections that are kept for {@link AddressBook.log}. */
const keptArrivals = 10_000;

interface Entry {
  readonly destination: Destination;
  readonly front: TcpFront;
}

/**
 * A loopback port for every address and port that a device of one place may dial. The device decides among true addresses and
 * then dials the port that stands for the one it chose, by rules in the form of curl's `--connect-to`.
 *
 *     device ── 10.20.0.5:8883 ──> 127.0.0.1:41234 ── path: carried? ──> the service's listener
 */
export class AddressBook {
  readonly #options: AddressBookOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #clients = new Set<Socket>();
  readonly #log: Arrival[] = [];
  #anchor: TcpFront | undefined;

  constructor(options: AddressBookOptions) {
    this.#options = options;
  }

  /** One rule for each address and port: `10.20.0.5:8883:127.0.0.1:41234`. */
  get rules(): readonly string[] {
    return [...this.#entries.values()].map(({ destination: { address, port }, front }) => {
      const host = address.includes(":") ? `[${address}]` : address;
      return `${host}:${port}:127.0.0.1:${front.port}`;
    });
  }

  /** The connections that clients made, oldest first; the last 10 000. Those that were dropped or refused never arrived. */
  get log(): readonly Arrival[] {
    return this.#log;
  }

  /** Brings the ports in line with the paths as they are now: opens new ones, lets others drop or refuse. */
  async settle(destinations: readonly Destination[]): Promise<void> {
    this.#anchor ??= await TcpFront.open((socket) => socket.on("error", () => {}).resume());
    for (const destination of destinations) await this.#ensure(destination);
    const anchor = this.#anchor.port;
    await Promise.all([...this.#entries.values()].map((entry) => entry.front.enter(this.#modeOf(entry), anchor)));
  }

  /** Resets every connection, as when a device leaves its network. */
  cut(): void {
    for (const socket of this.#clients) socket.resetAndDestroy();
  }

  /** Lets go of every port and cuts every connection. Idempotent. */
  async close(): Promise<void> {
    this.cut();
    const fronts = [...this.#entries.values()].map(({ front }) => front);
    if (this.#anchor !== undefined) fronts.push(this.#anchor);
    this.#entries.clear();
    this.#anchor = undefined;
    await Promise.all(fronts.map((front) => front.close()));
  }

  async #ensure(destination: Destination): Promise<void> {
    const key = `${destination.address} ${destination.port}`;
    if (this.#entries.has(key)) return;
    const front = await TcpFront.open((socket) => this.#take(socket, destination));
    this.#entries.set(key, { destination, front });
  }

  #modeOf({ destination }: Entry): FrontMode {
    const outcome = this.#options.outcomeOf(destination);
    if (outcome === "dropped") return "dropping";
    // A port without a listener behind it refuses, as does a machine on which no service runs.
    const isMissing = outcome === "carried" && this.#upstreamPort(outcome, destination) === undefined;
    return outcome === "refused" || isMissing ? "refusing" : "open";
  }

  #upstreamPort(outcome: PathOutcome, { port }: Destination): number | undefined {
    const { services, stranger } = this.#options.upstreams;
    return outcome === "stranger" ? stranger : services[port];
  }

  #take(client: Socket, destination: Destination): void {
    this.#clients.add(client);
    client.once("close", () => this.#clients.delete(client));
    const outcome = this.#options.outcomeOf(destination);
    const arrival = {
      address: destination.leadsTo,
      port: destination.port,
      from: this.#options.sourceFor(destination),
      outcome,
      atMs: this.#options.clock.now(),
      receivedBytes: 0,
    };
    this.#log.push(arrival);
    if (this.#log.length > keptArrivals) this.#log.shift();
    passThrough(client, {
      outcome,
      upstreamPort: this.#upstreamPort(outcome, destination),
      onForwarded: (upstream) => this.#options.arrivals.register(upstream, arrival),
      onReceived: (bytes) => {
        arrival.receivedBytes += bytes;
      },
    });
  }
}
