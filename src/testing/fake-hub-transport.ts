import { LandfallError } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import type { TwinDocument } from "../transport/messages.ts";
import type {
  CallOptions,
  HubHandlers,
  HubIdentity,
  HubTransport,
  Route,
  TransportAbilities,
} from "../transport/transport.ts";
import { type FakeHubBehaviour, FakeHubConnection } from "./fake-hub-connection.ts";
import { FakeTwin } from "./fake-twin.ts";
import { Sightings } from "./sightings.ts";

/**
 * An IoT hub that a test programs. Each {@link connect} makes a {@link FakeHubConnection}, whose other side the test
 * holds; the twin outlives connections. No timers.
 */
export class FakeHubTransport implements HubTransport {
  readonly name: string;
  readonly abilities: TransportAbilities;
  /** For connections made from now on: when their credential expires, milliseconds since the epoch. */
  credentialExpiresAtMs: number | undefined;
  /** For connections made from now on: whether the hub kept an earlier session. */
  sessionPresent = false;
  /** For connections made from now on: whether telemetry is acknowledged at once. */
  autoAck = true;

  readonly #twin = new FakeTwin();
  readonly #behaviours: FakeHubBehaviour[] = [];
  readonly #connections = new Sightings<FakeHubConnection>();
  readonly #refusals: Error[] = [];
  #attempts = 0;

  /** Without options it is named `fake` and carries both kinds of credential. */
  constructor(options: { readonly name?: string; readonly abilities?: TransportAbilities } = {}) {
    this.name = options.name ?? "fake";
    this.abilities = options.abilities ?? { credentials: ["certificate", "sas"], challenge: false };
  }

  /** Every connection that was accepted, oldest first; ended ones included. */
  get connections(): readonly FakeHubConnection[] {
    return this.#connections.all;
  }

  /** The newest connection. Throws when there was none. */
  get latest(): FakeHubConnection {
    const latest = this.connections.at(-1);
    if (!latest) throw new Error("nobody has connected to the fake hub yet");
    return latest;
  }

  /** Resolves with the `count`-th connection (1 is the first) once it was made. */
  connected(count: number): Promise<FakeHubConnection> {
    return this.#connections.nth(count);
  }

  /** How often somebody tried to connect, refused attempts included. */
  get attempts(): number {
    return this.#attempts;
  }

  /** The twin as the service has it. */
  get twin(): TwinDocument {
    return this.#twin.document;
  }

  /** Replaces the twin, without a push. */
  setTwin(document: TwinDocument): this {
    this.#twin.document = document;
    return this;
  }

  /** Changes the desired properties while nobody listens: no push. Returns the new version. */
  changeDesired(patch: JsonObject): number {
    return this.#twin.changeDesired(patch);
  }

  /** Adds a rule; it is asked for every operation on every connection. */
  behave(behaviour: FakeHubBehaviour): this {
    this.#behaviours.push(behaviour);
    return this;
  }

  /** Makes the next connect reject with `error`; default: `transport.unavailable`. May be called several times. */
  refuseNext(error: Error = new LandfallError("transport.unavailable", "the fake hub is unavailable")): this {
    this.#refusals.push(error);
    return this;
  }

  async connect(
    route: Route,
    identity: HubIdentity,
    handlers: HubHandlers,
    { signal }: CallOptions = {},
  ): Promise<FakeHubConnection> {
    signal?.throwIfAborted();
    this.#attempts += 1;
    const refusal = this.#refusals.shift();
    if (refusal) throw refusal;
    const connection = new FakeHubConnection({
      route,
      identity,
      handlers,
      twin: this.#twin,
      behaviours: this.#behaviours,
      sessionPresent: this.sessionPresent,
      autoAck: this.autoAck,
      credentialExpiresAtMs: this.credentialExpiresAtMs,
    });
    this.#connections.add(connection);
    return connection;
  }
}
