import { Backoff } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import { describeCause, isLandfallError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { DesiredPatch } from "../transport/messages.ts";
import type { CallOptions, HubConnection } from "../transport/transport.ts";
import {
  changeTo,
  type DesiredChange,
  type DesiredDocument,
  desiredOf,
  judgePatch,
  unknownDesired,
} from "./desired-document.ts";
import { Handover } from "./handover.ts";

/** Changes that may wait for a slow consumer one by one; more are made into one. */
const backlog = 64;

/** The reading of the whole twin that is under way. */
interface Reading {
  readonly abort: AbortController;
  /** The highest version that was pushed meanwhile; the answer may be older. */
  newestPush: number;
}

/**
 * Follows the desired properties for one consumer. Every connection begins with a reading of the whole twin, which closes
 * the gap that the time without a connection left; after it come the pushed patches, in the order of their versions. A
 * patch that is missing leads to another reading. Nothing is handed over twice.
 */
export class DesiredProperties {
  readonly #handover = new Handover<DesiredChange>("the sequence of desired changes");
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #log: Logger;
  readonly #onWanted: () => void;
  #known: DesiredDocument | undefined;
  /** What the consumer has been given, or will be given by the changes that wait. */
  #handed: DesiredDocument = unknownDesired;
  #connection: HubConnection | undefined;
  #reading: Reading | undefined;

  /** @param parts `onWanted` is called when a consumer starts and no subscribed connection is attached */
  constructor(parts: {
    readonly clock: Clock;
    readonly random: () => number;
    readonly log: Logger;
    readonly onWanted: () => void;
  }) {
    this.#clock = parts.clock;
    this.#random = parts.random;
    this.#log = parts.log;
    this.#onWanted = parts.onWanted;
  }

  /** Whether somebody consumes; only then is it worth while to subscribe. */
  get wanted(): boolean {
    return this.#handover.consumed;
  }

  /**
   * The changes, for one consumer at a time; the first is the whole document.
   * Throws `hub.already-consumed`. An abort ends the sequence and rejects with `signal.reason`.
   */
  consume(options: CallOptions = {}): AsyncIterableIterator<DesiredChange> {
    const onHanded = (change: DesiredChange): void => {
      this.#handed = change;
    };
    const sequence = this.#handover.consume({ onHanded, onLeft: () => this.#forget() }, options);
    if (this.#connection) this.#read(this.#connection);
    else this.#onWanted();
    return sequence;
  }

  /** Follows the twin over a connection that is subscribed to desired patches. */
  attach(connection: HubConnection): void {
    this.#connection = connection;
    if (this.wanted) this.#read(connection);
  }

  /** The connection is gone, or no longer ours. */
  detach(): void {
    this.#connection = undefined;
    this.#reading?.abort.abort();
    this.#reading = undefined;
  }

  /** A patch was pushed. */
  push(patch: DesiredPatch): void {
    if (!this.#connection || !this.wanted) return;
    if (this.#reading) {
      this.#reading.newestPush = Math.max(this.#reading.newestPush, patch.version);
      return;
    }
    const verdict = judgePatch(this.#known ?? unknownDesired, patch);
    if (verdict === "stale") {
      this.#log.debug(() => `dropped a desired patch of version ${patch.version}: a newer one is known`);
    } else if (verdict === "gap") {
      this.#log.debug(() => `a desired patch of version ${patch.version} came early: reading the twin`);
      this.#read(this.#connection);
    } else {
      this.#learn(verdict);
    }
  }

  /** Ends the consumer's sequence. Idempotent. */
  close(): void {
    this.detach();
    this.#handover.end();
  }

  #forget(): void {
    this.#handover.takeBack();
    this.#known = undefined;
    this.#handed = unknownDesired;
    this.#reading?.abort.abort();
    this.#reading = undefined;
  }

  #read(connection: HubConnection): void {
    this.#reading?.abort.abort();
    const reading: Reading = { abort: new AbortController(), newestPush: 0 };
    this.#reading = reading;
    this.#readUntilCurrent(connection, reading).catch((error) => {
      // Only the end of the connection, or of the wish to know, ends the readings.
      this.#log.debug(() => `stopped reading the twin: ${describeCause(error)}`);
    });
  }

  async #readUntilCurrent(connection: HubConnection, reading: Reading): Promise<void> {
    const { signal } = reading.abort;
    for (const backoff = new Backoff({ random: this.#random }); ; ) {
      const document = await this.#readOnce(connection, signal);
      signal.throwIfAborted();
      if (document && document.version >= reading.newestPush) {
        this.#reading = undefined;
        const change = changeTo(this.#known ?? unknownDesired, document);
        if (change || !this.#known) this.#learn(change ?? { ...document, patch: document.desired });
        return;
      }
      await this.#clock.sleep(backoff.next(), { signal });
    }
  }

  /** The document, or `undefined` when the attempt may be repeated on this connection. */
  async #readOnce(connection: HubConnection, signal: AbortSignal): Promise<DesiredDocument | undefined> {
    try {
      return desiredOf(await connection.getTwin({ signal }));
    } catch (error) {
      if (signal.aborted || (isLandfallError(error) && error.code === "transport.closed")) throw error;
      this.#log.warn(`reading the twin failed: ${describeCause(error)}`, { error });
      return undefined;
    }
  }

  #learn(change: DesiredChange): void {
    this.#known = change;
    this.#handover.offer(change);
    if (this.#handover.pending <= backlog) return;
    this.#handover.takeBack();
    const collapsed = changeTo(this.#handed, change);
    this.#handover.offer(collapsed ?? { ...change, patch: {} });
  }
}
