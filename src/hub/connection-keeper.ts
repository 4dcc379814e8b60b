import type { Clock } from "../clock.ts";
import { withDeadline } from "../deadline.ts";
import { deferred } from "../deferred.ts";
import { describeCause, LandfallError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { HubConnection } from "../transport/transport.ts";
import {
  type ConnectCause,
  type ConnectionEffect,
  type ConnectionEvent,
  type ConnectionState,
  next,
  type RetirementPurpose,
} from "./connection-machine.ts";
import type { ConnectionNews } from "./connection-news.ts";
import { untilRenewalDue } from "./credential-renewal.ts";
import type { HubSessionOptions } from "./options.ts";

/** Who uses the connection that a keeper keeps. */
export interface ConnectionUser {
  /** Makes one attempt. */
  connect(options: { readonly signal: AbortSignal }): Promise<HubConnection>;
  /** Uses the connection from now on. */
  serve(connection: HubConnection, cause: ConnectCause): void;
  /** Resolves when nothing is under way on the connection: to replace it, or to stop for good. */
  settle(purpose: "replace" | "stop", options: { readonly signal: AbortSignal }): Promise<void>;
  /** Lets go of the connection: it is gone, or about to be closed. May be called more than once. */
  release(): void;
  /** Whether what was sent over the connection is the likely reason for the hub to close it. */
  isAtFault(): boolean;
  announce(news: ConnectionNews): void;
}

/** Parts of a {@link ConnectionKeeper}. */
export interface ConnectionKeeperParts {
  readonly user: ConnectionUser;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly options: HubSessionOptions;
}

/** Longest time for an orderly close, in milliseconds; then the connection is dropped. */
const closeGraceMs = 1000;

/** Keeps one connection alive: carries out what the connection machine decides, and tells it what happens. */
export class ConnectionKeeper {
  readonly #parts: ConnectionKeeperParts;
  readonly #stopped = deferred<void>();
  readonly #inbox: ConnectionEvent[] = [];
  #dispatching = false;
  #state: ConnectionState = { kind: "idle" };
  #connection: HubConnection | undefined;
  #attempt = new AbortController();
  #service = new AbortController();
  #timer = new AbortController();
  #retirement: AbortController | undefined;

  constructor(parts: ConnectionKeeperParts) {
    this.#parts = parts;
  }

  /** Where the connection stands. */
  get state(): ConnectionState["kind"] {
    return this.#state.kind;
  }

  /** Resolves when the keeper has stopped and nothing of it is left. */
  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  /** Tells what happened, or what is wanted: `start`, `subscriptions-changed`, `moved` or `stop`. */
  tell(event: ConnectionEvent): void {
    this.#inbox.push(event);
    // What an effect leads to at once waits until all effects of the step before are done.
    if (this.#dispatching) return;
    this.#dispatching = true;
    try {
      for (let each = this.#inbox.shift(); each; each = this.#inbox.shift()) this.#step(each);
    } finally {
      this.#dispatching = false;
    }
  }

  #step(event: ConnectionEvent): void {
    const { clock, random, log, options } = this.#parts;
    const step = next(this.#state, { ...event, atMs: clock.elapsed(), draw: random() }, options);
    if (!step) return;
    const { kind: before } = this.#state;
    log.trace(() => `connection: ${before} --${event.kind}--> ${step.state.kind}`);
    this.#state = step.state;
    for (const effect of step.effects) this.#perform(effect);
    if (this.#state.kind === "stopped") this.#stopped.resolve();
  }

  #perform(effect: ConnectionEffect): void {
    const { user } = this.#parts;
    switch (effect.kind) {
      case "connect":
        this.#connect(effect.cause);
        break;
      case "cancel-connect":
        this.#attempt.abort(new LandfallError("transport.closed", "the attempt to connect was given up"));
        break;
      case "serve":
        this.#serve(effect.cause);
        break;
      case "lose":
        this.#letGo();
        user.announce({ name: "disconnected", about: { error: effect.error } });
        break;
      case "retire":
        this.#retire(effect.purpose);
        break;
      case "wait":
        this.#wait(effect);
        break;
      case "cancel-wait":
        this.#timer.abort();
        break;
      case "report-displaced":
        user.announce({ name: "displaced", about: { delayMs: effect.delayMs, error: displaced(effect) } });
        break;
      case "ask-provisioning": {
        const { reason, error, failures } = effect;
        user.announce({ name: "needs-provisioning", about: { reason, error, failures } });
        break;
      }
    }
  }

  #connect(cause: ConnectCause): void {
    const { user, clock, options } = this.#parts;
    user.announce({ name: "connecting", about: { cause } });
    this.#attempt = new AbortController();
    const { signal } = this.#attempt;
    const ms = options.connectTimeoutMs;
    const expired = (): Error =>
      new LandfallError("transport.timeout", `no connection to the hub came about within ${ms} ms`);
    const attempt = withDeadline((limit) => connectHeeding(limit, user), { clock, ms, expired, signal });
    attempt.then(
      (connection) => {
        this.#connection = connection;
        this.tell({ kind: "connected" });
      },
      (error) => this.tell({ kind: "connect-failed", error }),
    );
  }

  #serve(cause: ConnectCause): void {
    const connection = this.#connection as HubConnection;
    const { user, clock } = this.#parts;
    this.#service = new AbortController();
    const { signal } = this.#service;
    void connection.ended.then((reason) => {
      if (signal.aborted) return;
      this.tell({ kind: "ended", error: this.#endOf(connection, reason), ours: user.isAtFault() });
    });
    const { credentialExpiresAtMs } = connection;
    if (credentialExpiresAtMs !== undefined) {
      untilRenewalDue(credentialExpiresAtMs, { clock, signal }).then(
        () => this.tell({ kind: "renewal-due" }),
        () => {},
      );
    }
    user.serve(connection, cause);
  }

  #endOf({ credentialExpiresAtMs }: HubConnection, reason: Error | undefined): Error {
    const error = reason ?? new LandfallError("transport.closed", "the connection to the hub was closed");
    if (credentialExpiresAtMs === undefined || credentialExpiresAtMs > this.#parts.clock.now()) return error;
    const expiry = new Date(credentialExpiresAtMs).toISOString();
    return new LandfallError(
      "hub.credential-expired",
      `the connection ended after its credential expired at ${expiry}`,
      {
        cause: error,
      },
    );
  }

  #retire(purpose: RetirementPurpose): void {
    // A retirement in a greater hurry takes over from the one under way.
    this.#retirement?.abort();
    const retirement = new AbortController();
    this.#retirement = retirement;
    this.#service.abort();
    const connection = this.#connection as HubConnection;
    const over = (): void => {
      if (this.#retirement !== retirement) return;
      this.#retirement = undefined;
      this.#letGo();
      this.tell({ kind: "retired" });
    };
    if (purpose === "abort") {
      connection.destroy();
      // Not at once: whoever stops the keeper is told after the step that stops it.
      queueMicrotask(over);
    } else {
      void this.#finish(connection, purpose, retirement.signal).finally(over);
    }
  }

  /** Never rejects: what could not be finished in time is left to the next connection. */
  async #finish(connection: HubConnection, purpose: "replace" | "stop", signal: AbortSignal): Promise<void> {
    const { user, clock, log, options } = this.#parts;
    const ms = purpose === "stop" ? options.closeTimeoutMs : options.renewalTimeoutMs;
    const settle = (limit: AbortSignal): Promise<unknown> =>
      Promise.race([user.settle(purpose, { signal: limit }), connection.ended]);
    try {
      await withDeadline(settle, { clock, ms, expired: () => tookTooLong("settle", ms), signal });
    } catch (error) {
      log.debug(() => `closing the connection with work under way: ${describeCause(error)}`);
    }
    if (signal.aborted) return;
    user.release();
    const expired = (): Error => tookTooLong("close", closeGraceMs);
    try {
      await withDeadline(() => connection.close(), { clock, ms: closeGraceMs, expired, signal });
    } catch (error) {
      if (!signal.aborted) connection.destroy(error as Error);
    }
  }

  #letGo(): void {
    this.#service.abort();
    this.#connection = undefined;
    this.#parts.user.release();
  }

  #wait({ delayMs, error, failures }: Extract<ConnectionEffect, { kind: "wait" }>): void {
    const { user, clock } = this.#parts;
    this.#timer = new AbortController();
    clock.sleep(delayMs, { signal: this.#timer.signal }).then(
      () => this.tell({ kind: "timer" }),
      () => {},
    );
    user.announce({ name: "waiting", about: { delayMs, error, failures } });
  }
}

/** One attempt; should it succeed although it was given up, its connection is dropped. */
async function connectHeeding(signal: AbortSignal, user: ConnectionUser): Promise<HubConnection> {
  const connection = await user.connect({ signal });
  if (!signal.aborted) return connection;
  connection.destroy();
  throw signal.reason;
}

const tookTooLong = (doing: string, ms: number): LandfallError =>
  new LandfallError("transport.timeout", `the connection did not ${doing} within ${ms} ms`);

function displaced({ error, delayMs }: { readonly error: Error; readonly delayMs: number }): LandfallError {
  const minutes = (delayMs / 60_000).toFixed(1);
  return new LandfallError(
    "hub.displaced",
    `the hub keeps closing the connection soon after it was made, most likely because another client uses the same device id; the next attempt follows in ${minutes} minutes`,
    { cause: error },
  );
}
