import { EventEmitter } from "node:events";
import { type Clock, systemClock } from "../clock.ts";
import { LandfallError } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import { type Logger, silentLogger } from "../log.ts";
import { tellListeners } from "../tell-listeners.ts";
import type { TelemetryMessage, TwinDocument } from "../transport/messages.ts";
import type { CallOptions, HubIdentity, HubTransport } from "../transport/transport.ts";
import type { ReceivedMessage } from "./cloud-messages.ts";
import { ConnectionKeeper } from "./connection-keeper.ts";
import type { ConnectionState } from "./connection-machine.ts";
import { type ConnectionEvents, type ConnectionNews, logNews } from "./connection-news.ts";
import type { DesiredChange } from "./desired-document.ts";
import type { MethodHandler, MethodOptions } from "./direct-methods.ts";
import { type Destination, HubTraffic } from "./hub-traffic.ts";
import { type HubSessionOptions, resolveOptions } from "./options.ts";

/** What a {@link HubSession} is made of. */
export interface HubSessionParts {
  readonly transport: HubTransport;
  /** Default: the machine's own. */
  readonly clock?: Clock;
  /** Uniform random numbers in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
  /** Default: silent. */
  readonly log?: Logger;
  /** Figures that differ from their defaults. */
  readonly options?: Partial<HubSessionOptions>;
}

/**
 * A device's session with an IoT hub, over as many connections as it takes: it connects again after drops, renews its
 * credential ahead of the expiry, and carries over what the hub has not acknowledged.
 *
 * Nothing that waits for the hub fails because a connection was lost; it waits for the next one. Give a `signal` to bound
 * a wait. The session subscribes to cloud-to-device messages and desired properties only while somebody consumes them:
 * start these loops before {@link start}, or a connection is replaced to subscribe.
 */
export class HubSession extends EventEmitter<ConnectionEvents> implements AsyncDisposable {
  readonly #transport: HubTransport;
  readonly #log: Logger;
  readonly #traffic: HubTraffic;
  readonly #keeper: ConnectionKeeper;
  #closed: LandfallError | undefined;

  private constructor({ transport, ...rest }: HubSessionParts) {
    super();
    const { clock = systemClock, random = Math.random, log = silentLogger } = rest;
    const options = resolveOptions(rest.options);
    this.#transport = transport;
    this.#log = log;
    this.#traffic = new HubTraffic({
      transport,
      clock,
      random,
      log,
      options,
      announce: (news) => this.#announce(news),
      onSubscriptionMissing: () => this.#keeper.tell({ kind: "subscriptions-changed" }),
    });
    this.#keeper = new ConnectionKeeper({ user: this.#traffic, clock, random, log, options });
  }

  /**
   * A session that has not started yet: it can be given handlers, loops and messages before anybody knows its hub.
   * Throws `config.invalid` for options out of their range.
   */
  static create(parts: HubSessionParts): HubSession {
    return new HubSession(parts);
  }

  /** Where the connection stands. */
  get state(): ConnectionState["kind"] {
    return this.#keeper.state;
  }

  /** Telemetry messages that the hub has not acknowledged yet. */
  get pendingTelemetry(): number {
    return this.#traffic.telemetry.pending;
  }

  /**
   * Begins to connect to `destination`, and goes on until {@link close}. A session that has started already moves there.
   * Throws `attestation.unsupported-pair` when the transport cannot carry the credential, and `hub.closed`.
   */
  start(destination: Destination): void {
    this.#setDestination(destination);
    this.#keeper.tell({ kind: this.#keeper.state === "idle" ? "start" : "moved" });
  }

  /** Resolves once the session is connected, at once when it is. Rejects with `hub.closed` or `signal.reason`. */
  async whenConnected(options: CallOptions = {}): Promise<void> {
    await this.#traffic.live.available(options);
  }

  /**
   * Sends telemetry at QoS 1: resolves once the hub has acknowledged it, on whatever connection. Waits while the window
   * is full. Messages go out in the order of the calls, each at least once; do not change one before it is acknowledged.
   *
   * An abort rejects with `signal.reason`; a message that is not on the wire then is never sent.
   * Rejects with `transport.message-too-large` above 262 144 bytes with properties, and with `hub.closed`.
   */
  async send(message: TelemetryMessage, options: CallOptions = {}): Promise<void> {
    this.#requireOpen();
    return this.#traffic.telemetry.send(message, options);
  }

  /**
   * Handles calls of the direct method `name` until the result is disposed of.
   * Throws `hub.method-exists` when the name has a handler.
   */
  onMethod(name: string, handler: MethodHandler, options: MethodOptions = {}): Disposable {
    return this.#traffic.methods.handle(name, handler, options);
  }

  /** Handles calls of direct methods that have no handler of their own. Throws `hub.method-exists` for a second one. */
  onOtherMethods(handler: MethodHandler, options: MethodOptions = {}): Disposable {
    return this.#traffic.methods.handleOthers(handler, options);
  }

  /**
   * The cloud-to-device messages, oldest first, for one consumer at a time. A message is completed (the hub deletes its
   * copy) when the consumer asks for the next one or calls its `done()`; a loop that throws, returns or breaks leaves it
   * to be delivered again, and so does a connection that ends meanwhile. The sequence ends when the session closes.
   *
   * Throws `hub.already-consumed` and `hub.closed`. An abort ends the sequence and rejects with `signal.reason`.
   */
  messages(options: CallOptions = {}): AsyncIterableIterator<ReceivedMessage> {
    this.#requireOpen();
    return this.#traffic.messages.consume(options);
  }

  /**
   * The changes of the desired properties, in the order of their versions, for one consumer at a time. The first one has
   * the whole document as its patch; after a reconnect only what differs follows. Nothing is handed over twice. A consumer
   * that falls more than 64 changes behind gets them as one. The sequence ends when the session closes.
   *
   * Throws `hub.already-consumed` and `hub.closed`. An abort ends the sequence and rejects with `signal.reason`.
   */
  desiredChanges(options: CallOptions = {}): AsyncIterableIterator<DesiredChange> {
    this.#requireOpen();
    return this.#traffic.desired.consume(options);
  }

  /**
   * Reads the whole twin. Made again after a drop, and up to 5 times when the hub is throttling or does not answer.
   * Rejects with `hub.twin-rejected`, the last `transport.*`, `hub.closed` or `signal.reason`.
   */
  async readTwin(options: CallOptions = {}): Promise<TwinDocument> {
    this.#requireOpen();
    return this.#traffic.twin.read(options);
  }

  /**
   * Merges `patch` into the reported properties (`null` deletes) and resolves with their new version. Patches are applied
   * one after the other, in the order of the calls. Repeated and rejected as {@link readTwin}.
   */
  async patchReported(patch: JsonObject, options: CallOptions = {}): Promise<number> {
    this.#requireOpen();
    return this.#traffic.twin.patchReported(patch, options);
  }

  /** Resolves once all telemetry is acknowledged and all reported patches are settled. Rejects with `signal.reason`. */
  async drain(options: CallOptions = {}): Promise<void> {
    await Promise.all([this.#traffic.telemetry.drain(options), this.#traffic.twin.settled(options)]);
  }

  /**
   * Goes over to another hub or identity and connects there at once, taking along what is not acknowledged. What is under
   * way on the present connection may end first. A session that has not started stays so.
   * Throws `attestation.unsupported-pair` and `hub.closed`.
   */
  moveTo(destination: Destination): void {
    this.#setDestination(destination);
    this.#keeper.tell({ kind: "moved" });
  }

  /**
   * Takes nothing new, finishes what is under way while connected (no longer than `closeTimeoutMs`), and disconnects in
   * an orderly way. Everything that still waits rejects with `hub.closed`; sequences end. Idempotent.
   */
  async close(): Promise<void> {
    this.#closed ??= new LandfallError("hub.closed", "the session with the hub was closed");
    this.#keeper.tell({ kind: "stop", abrupt: false });
    await this.#keeper.stopped;
    this.#traffic.end(this.#closed);
  }

  /** Drops the connection at once. Everything that waits rejects with `hub.closed`, caused by `reason`. Idempotent. */
  destroy(reason?: Error): void {
    this.#closed ??= new LandfallError("hub.closed", "the session with the hub was ended abruptly", { cause: reason });
    this.#keeper.tell({ kind: "stop", abrupt: true });
    this.#traffic.end(this.#closed);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #announce(news: ConnectionNews): void {
    logNews(this.#log, news);
    tellListeners(() => this.emit(news.name, news.about as never));
  }

  #setDestination(destination: Destination): void {
    this.#requireOpen();
    requireSupport(this.#transport, destination.identity);
    this.#traffic.destination = destination;
  }

  #requireOpen(): void {
    if (this.#closed) throw this.#closed;
  }
}

function requireSupport({ name, abilities }: HubTransport, { credential }: HubIdentity): void {
  if (abilities.credentials.includes(credential.kind)) return;
  throw new LandfallError(
    "attestation.unsupported-pair",
    `the transport ${name} carries credentials of the kinds ${abilities.credentials.join(", ")}; this one is ${credential.kind}`,
  );
}
