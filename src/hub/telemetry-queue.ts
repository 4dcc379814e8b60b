import { onAbort, untilAborted } from "../abort.ts";
import { type Deferred, deferred } from "../deferred.ts";
import { isLandfallError } from "../errors.ts";
import { requireFits } from "../transport/message-limits.ts";
import type { TelemetryMessage } from "../transport/messages.ts";
import type { CallOptions, HubConnection } from "../transport/transport.ts";

interface Entry {
  readonly message: TelemetryMessage;
  readonly settled: Deferred<void>;
  /** The sender gave up while the message was on the wire: it cannot be taken back, but need not be sent again. */
  abandoned: boolean;
}

/**
 * Telemetry on its way out: every message in the order of its {@link send}, until the hub has acknowledged it.
 *
 * ```
 *   oldest                                        newest
 *   [ on the wire, at most `window` ][ waiting for a slot ]
 * ```
 *
 * A connection that ends takes nothing along: what it had not acknowledged goes out again, first, on the next one.
 * So the hub gets each message at least once; it can get one twice when only the acknowledgement was lost.
 */
export class TelemetryQueue {
  readonly #window: number;
  /** The first {@link #sent} of these are on the wire of the present connection. */
  readonly #entries: Entry[] = [];
  #sent = 0;
  #connection: HubConnection | undefined;
  #paused = false;
  #acknowledged = 0;
  #closed: Error | undefined;
  #changed: Deferred<void> = deferred();

  /** @param window messages that may be on the wire, not yet acknowledged, at one time */
  constructor({ window }: { readonly window: number }) {
    this.#window = window;
  }

  /** Messages that are not acknowledged yet, on the wire or waiting. */
  get pending(): number {
    return this.#entries.length;
  }

  /** Whether the present connection has messages on the wire and has never acknowledged one. */
  get stalled(): boolean {
    return this.#sent > 0 && this.#acknowledged === 0;
  }

  /**
   * Resolves once the hub has acknowledged `message`, on whatever connection. Waits for a slot while the window is full,
   * and for a connection while there is none. The message must not be changed before that.
   *
   * An abort rejects with `signal.reason`; a message that is not on the wire then is never sent.
   * Rejects with `transport.message-too-large` (it was not sent) and with `hub.closed`.
   */
  async send(message: TelemetryMessage, { signal }: CallOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    if (this.#closed) throw this.#closed;
    requireFits(message);
    const entry: Entry = { message, settled: deferred(), abandoned: false };
    const stopListening = onAbort(signal, () => this.#abandon(entry, signal?.reason));
    this.#entries.push(entry);
    this.#pump();
    try {
      await entry.settled.promise;
    } finally {
      stopListening();
    }
  }

  /** Sends over `connection` from now on, what earlier connections did not acknowledge first. */
  attach(connection: HubConnection): void {
    this.#connection = connection;
    this.#paused = false;
    this.#acknowledged = 0;
    this.#pump();
  }

  /** Puts no more messages on the wire until {@link resume} or the next {@link attach}. */
  pause(): void {
    this.#paused = true;
  }

  /** Ends a {@link pause}. */
  resume(): void {
    this.#paused = false;
    this.#pump();
  }

  /** The connection is gone, or no longer ours: everything not acknowledged waits for the next {@link attach}. */
  detach(): void {
    this.#connection = undefined;
    this.#sent = 0;
    for (let index = this.#entries.length - 1; index >= 0; index--) {
      if (this.#entries[index]?.abandoned) this.#entries.splice(index, 1);
    }
    this.#announce();
  }

  /** Resolves when no message is on the wire. Rejects with `signal.reason`. */
  async quiet({ signal }: CallOptions = {}): Promise<void> {
    while (this.#sent > 0) await untilAborted(this.#changed.promise, signal);
  }

  /** Resolves when every message is acknowledged. Rejects with `signal.reason`, and with `hub.closed`. */
  async drain({ signal }: CallOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    while (this.#entries.length > 0) await untilAborted(this.#changed.promise, signal);
    if (this.#closed) throw this.#closed;
  }

  /** Rejects every send that is not acknowledged, and all to come, with `reason`. Idempotent. */
  close(reason: Error): void {
    if (this.#closed) return;
    this.#closed = reason;
    this.#connection = undefined;
    this.#sent = 0;
    for (const { settled } of this.#entries.splice(0)) settled.reject(reason);
    this.#announce();
  }

  #pump(): void {
    while (this.#connection && !this.#paused && this.#sent < this.#window) {
      const entry = this.#entries[this.#sent];
      if (!entry) return;
      this.#sent += 1;
      this.#transmit(entry, this.#connection);
    }
  }

  #transmit(entry: Entry, connection: HubConnection): void {
    connection.sendTelemetry(entry.message).then(
      () => {
        // An acknowledgement counts whenever it comes, also after the connection was given up.
        if (connection === this.#connection) this.#acknowledged += 1;
        this.#remove(entry);
        entry.settled.resolve();
      },
      (error: Error) => this.#failed(entry, connection, error),
    );
  }

  #failed(entry: Entry, connection: HubConnection, error: Error): void {
    if (connection !== this.#connection) return;
    if (!isLandfallError(error) || error.retry === "never") {
      this.#remove(entry);
      entry.settled.reject(error);
    } else if (error.code !== "transport.closed") {
      // A message that may be sent again needs another connection: on this one its place in the order is lost.
      connection.destroy(error);
    }
  }

  #abandon(entry: Entry, reason: unknown): void {
    entry.settled.reject(reason);
    if (this.#entries.indexOf(entry) < this.#sent) entry.abandoned = true;
    else this.#remove(entry);
  }

  #remove(entry: Entry): void {
    const index = this.#entries.indexOf(entry);
    if (index < 0) return;
    this.#entries.splice(index, 1);
    if (index < this.#sent) this.#sent -= 1;
    this.#pump();
    this.#announce();
  }

  #announce(): void {
    const changed = this.#changed;
    this.#changed = deferred();
    changed.resolve();
  }
}
