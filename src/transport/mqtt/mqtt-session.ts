import type { Duplex } from "node:stream";
import type { MqttClient } from "mqtt";
import { untilAborted } from "../../abort.ts";
import type { Clock } from "../../clock.ts";
import { withDeadline } from "../../deadline.ts";
import { type Deferred, deferred } from "../../deferred.ts";
import { describeCause, LandfallError } from "../../errors.ts";
import type { Logger } from "../../log.ts";
import type { Secret } from "../../secret.ts";
import type { CallOptions } from "../transport.ts";
import { intervalsOf } from "./clock-intervals.ts";
import { OrderedAcknowledgements } from "./ordered-acknowledgements.ts";
import { tracePacket } from "./packet-trace.ts";
import { connackRefusal } from "./refusal.ts";

/** A publication that the service sent. */
export interface Publication {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** What an {@link MqttSession} needs beside the stream. */
export interface MqttSessionOptions {
  /** For messages and traces. */
  readonly host: string;
  readonly clientId: string;
  readonly username: string;
  readonly password: Secret | undefined;
  readonly cleanSession: boolean;
  readonly keepAliveSeconds: number;
  /** Milliseconds that CONNECT, SUBSCRIBE and {@link MqttSession.withinTime} may take. */
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  /**
   * Called for every publication, in order. What it returns holds back the acknowledgement of a QoS 1 publication, and
   * nothing else; `undefined` lets it go at once.
   */
  readonly onPublication: (publication: Publication) => Promise<void> | undefined;
}

/** DISCONNECT, and how long the peer may take to hang up after it. */
const disconnect = Buffer.from([0xe0, 0x00]);
const hangUpMs = 2_000;

/**
 * One MQTT 3.1.1 connection over a stream that is ours: from CONNECT to its end, never a second one. Everything that waits
 * here rejects when the connection ends.
 */
export class MqttSession {
  /** Resolves when the connection is over: with the reason, or with `undefined` after {@link close}. */
  readonly ended: Promise<Error | undefined>;
  readonly #client: MqttClient;
  readonly #stream: Duplex;
  readonly #options: MqttSessionOptions;
  readonly #acknowledgements: OrderedAcknowledgements;
  readonly #waiting = new Set<Deferred<never>>();
  readonly #ended = deferred<Error | undefined>();
  #state: "connecting" | "open" | "closing" | "over" = "connecting";
  #sessionPresent = false;
  #outcome: Error | undefined;

  private constructor({ MqttClient }: typeof import("mqtt"), stream: Duplex, options: MqttSessionOptions) {
    this.#stream = stream;
    this.#options = options;
    this.ended = this.#ended.promise;
    this.#acknowledgements = new OrderedAcknowledgements((packetId) => this.#acknowledge(packetId), options.log);
    this.#client = new MqttClient(() => stream, {
      manualConnect: true,
      reconnectPeriod: 0,
      protocolVersion: 4,
      clean: options.cleanSession,
      clientId: options.clientId,
      username: options.username,
      // As bytes: the library's packet writer shows every string that it writes to whoever sets DEBUG=mqtt*.
      ...(options.password ? { password: Buffer.from(options.password.reveal()) } : {}),
      keepalive: options.keepAliveSeconds,
      timerVariant: intervalsOf(options.clock),
      connectTimeout: 2_147_483_647, // we limit the time ourselves, by our clock
      log: () => {}, // its own log would show the password
    });
  }

  /**
   * Connects over `stream`, which belongs to the session from now on. Rejects with `transport.*`, or with `signal.reason`;
   * the stream is destroyed then.
   */
  static async connect(
    mqtt: typeof import("mqtt"),
    stream: Duplex,
    options: MqttSessionOptions,
    { signal }: CallOptions = {},
  ): Promise<MqttSession> {
    const session = new MqttSession(mqtt, stream, options);
    try {
      await session.withinTime("CONNECT", (limit) => session.#connect(limit), { signal });
    } catch (error) {
      session.destroy(error as Error);
      throw error;
    }
    return session;
  }

  /** Whether the service kept the session of an earlier connection. */
  get sessionPresent(): boolean {
    return this.#sessionPresent;
  }

  /** Subscribes at QoS 1. Rejects with `transport.refused` when the service does not grant every filter. */
  async subscribe(filters: readonly string[], options: CallOptions = {}): Promise<void> {
    const subscribed = (resolve: () => void, reject: (reason: Error) => void): void => {
      this.#client.subscribe([...filters], { qos: 1 }, (cause) => {
        if (cause) reject(new LandfallError("transport.refused", `${this.#host} refused to subscribe`, { cause }));
        else resolve();
      });
    };
    await this.withinTime("SUBSCRIBE", (limit) => this.whileOpen<void>(subscribed, limit), options);
  }

  /** Publishes. QoS 1 resolves with the acknowledgement, QoS 0 as soon as the packet is written. */
  async publish(topic: string, payload: Uint8Array, qos: 0 | 1, { signal }: CallOptions = {}): Promise<void> {
    const body = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    await this.whileOpen<void>((resolve, reject) => {
      this.#client.publish(topic, body, { qos }, (cause) => {
        if (cause) reject(this.#closed(cause));
        else if (qos === 1) resolve();
      });
      if (qos === 0) resolve();
    }, signal);
  }

  /** Waits for what `start` will settle, as long as the connection lives and `signal` allows. */
  async whileOpen<T>(
    start: (resolve: (value: T) => void, reject: (reason: Error) => void) => void,
    signal?: AbortSignal,
  ): Promise<T> {
    signal?.throwIfAborted();
    if (this.#state === "over" || this.#stream.writableEnded) throw this.#closed(this.#outcome);
    const waiter = deferred<T>();
    this.#waiting.add(waiter as Deferred<never>);
    try {
      start(waiter.resolve, waiter.reject);
      return await untilAborted(waiter.promise, signal);
    } finally {
      this.#waiting.delete(waiter as Deferred<never>);
    }
  }

  /** Runs `work`, a request named `what`, under the time limit for requests; rejects with `transport.timeout` after it. */
  withinTime<T>(what: string, work: (signal: AbortSignal) => Promise<T>, { signal }: CallOptions): Promise<T> {
    const { clock, requestTimeoutMs: ms } = this.#options;
    const expired = (): Error =>
      new LandfallError("transport.timeout", `${this.#host} did not answer ${what} within ${ms} ms`);
    return withDeadline(work, { clock, ms, expired, signal });
  }

  /**
   * Lets handlers that are under way finish and acknowledges what they handled, then sends DISCONNECT and hangs up.
   * Idempotent. {@link destroy} cuts it short.
   */
  async close(): Promise<void> {
    if (this.#state === "open") {
      this.#state = "closing";
      await Promise.race([this.#acknowledgements.idle(), this.ended]);
      this.#hangUp();
    }
    await this.ended;
  }

  /** Ends the connection at once, without DISCONNECT. */
  destroy(reason: Error = new LandfallError("transport.closed", "the connection was dropped on this side")): void {
    this.#end(reason);
  }

  get #host(): string {
    return this.#options.host;
  }

  async #connect(signal: AbortSignal): Promise<void> {
    if (this.#stream.destroyed) throw this.#broken(undefined);
    const connected = this.whileOpen<void>((resolve) => {
      this.#listen(resolve);
      this.#client.connect();
    }, signal);
    // CONNECT is written; nothing needs the password any longer.
    delete this.#client.options.password;
    await connected;
  }

  #listen(onConnected: () => void): void {
    const client = this.#client;
    const { host } = this.#options;
    client.on("packetsend", (packet) => tracePacket("sent", host, packet));
    client.on("packetreceive", (packet) => tracePacket("received", host, packet));
    client.once("connect", ({ sessionPresent }) => {
      if (this.#state !== "connecting") return;
      this.#state = "open";
      this.#sessionPresent = sessionPresent;
      onConnected();
    });
    client.handleMessage = ({ topic, payload, qos, messageId }, done) => {
      const body = typeof payload === "string" ? Buffer.from(payload) : payload;
      done(this.#receive({ topic, payload: body }, qos === 1 ? messageId : undefined));
    };
    client.onKeepaliveTimeout = () => {
      this.#end(new LandfallError("transport.timeout", `${host} did not answer a keep-alive ping`));
    };
    this.#stream.on("error", (cause) => this.#end(this.#broken(cause)));
    this.#stream.once("close", () => this.#end(this.#broken(undefined)));
    client.on("error", (cause) => {
      const { code } = cause as { readonly code?: unknown };
      const refused = this.#state === "connecting" && typeof code === "number";
      const broken = (): Error =>
        new LandfallError("transport.protocol", `${host} broke the protocol: ${describeCause(cause)}`, { cause });
      this.#end(refused ? connackRefusal(host, code, cause) : broken());
    });
  }

  /** An error makes the client go on without an acknowledgement; we write it ourselves when the time has come. */
  #receive(publication: Publication, packetId: number | undefined): Error | undefined {
    const { log, onPublication } = this.#options;
    if (this.#state === "over") return new Error("too late to be handled");
    if (packetId !== undefined && this.#acknowledgements.has(packetId)) {
      log.debug("a message came again while it is being handled", { packetId });
      return new Error("acknowledged with the first delivery");
    }
    let handled: Promise<void> | undefined;
    try {
      handled = onPublication(publication);
    } catch (error) {
      // Thrown further it would stop the parser, and with it the whole connection.
      handled = Promise.reject(error);
    }
    if (handled === undefined) return undefined;
    this.#acknowledgements.add(packetId, handled);
    return new Error("acknowledged when it is handled");
  }

  #acknowledge(packetId: number): void {
    if (this.#state === "over" || this.#stream.writableEnded) return;
    tracePacket("sent", this.#host, { cmd: "puback", messageId: packetId });
    this.#stream.write(Buffer.from([0x40, 0x02, packetId >> 8, packetId & 0xff]));
  }

  #hangUp(): void {
    if (this.#state !== "closing") return;
    const { clock } = this.#options;
    tracePacket("sent", this.#host, { cmd: "disconnect" });
    this.#stream.end(disconnect);
    const waiting = new AbortController();
    void this.ended.then(() => waiting.abort());
    clock.sleep(hangUpMs, waiting).then(
      () => this.#end(undefined),
      () => {},
    );
  }

  #end(reason: Error | undefined): void {
    if (this.#state === "over") return;
    this.#outcome = this.#state === "closing" ? undefined : reason;
    const rejection = this.#state === "connecting" && reason ? reason : this.#closed(this.#outcome);
    this.#state = "over";
    this.#stream.destroy();
    for (const waiter of this.#waiting) waiter.reject(rejection);
    this.#ended.resolve(this.#outcome);
  }

  #broken(cause: Error | undefined): LandfallError {
    const how = cause ? `broke: ${describeCause(cause)}` : "was closed by the other side";
    return new LandfallError("transport.closed", `the connection to ${this.#host} ${how}`, { cause });
  }

  #closed(cause: Error | undefined): LandfallError {
    return new LandfallError("transport.closed", `the connection to ${this.#host} is over`, { cause });
  }
}
