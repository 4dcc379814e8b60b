import type { Clock } from "../../../clock.ts";
import { NameServer, type QueryRecord } from "./name-server.ts";
import { createResponder, type NameServerSettings, type ViewSource } from "./responder.ts";

/** The name servers that a device is told of, in order. Each keeps its port, whatever becomes of it. */
export class NameServers {
  readonly #source: ViewSource;
  readonly #clock: Clock;
  readonly #members: { readonly server: NameServer; readonly settings: NameServerSettings }[] = [];

  constructor(source: ViewSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /** `127.0.0.1:<port>` of each. */
  get addresses(): readonly string[] {
    return this.#members.map(({ server }) => server.address);
  }

  /** The queries that one of them got, oldest first. */
  queries(at: number): readonly QueryRecord[] {
    return this.#members[at]?.server.queries ?? [];
  }

  /** Makes the servers answer by these settings. Servers that are no longer listed stop answering, since the device still asks them. */
  async apply(wanted: readonly NameServerSettings[]): Promise<void> {
    for (const [at, settings] of wanted.entries()) await this.#applyTo(at, settings);
    for (const { server } of this.#members.slice(wanted.length)) await server.reach("nothing");
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await Promise.all(this.#members.map(({ server }) => server.close()));
  }

  async #applyTo(at: number, settings: NameServerSettings): Promise<void> {
    const known = this.#members[at];
    // Settings that stay the same go on as they are, for they may be counting queries.
    if (known?.settings !== settings) {
      const responder = createResponder(settings, this.#source);
      const server = known?.server ?? (await NameServer.open(responder, { clock: this.#clock }));
      server.respondWith(responder);
      this.#members[at] = { server, settings };
    }
    await this.#members[at]?.server.reach(settings.reach ?? "udp-and-tcp");
  }
}
