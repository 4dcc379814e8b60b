import { onAbort } from "../abort.ts";
import { type Deferred, deferred } from "../deferred.ts";
import { LandfallError } from "../errors.ts";
import type { CallOptions } from "../transport/transport.ts";

/** What the owner of a {@link Handover} wants to know of its consumer. */
export interface HandoverHooks<T> {
  /** The consumer gets `item` now. */
  readonly onHanded?: (item: T) => void;
  /** The consumer asks for an item; the one it got before is dealt with. */
  readonly onAsked?: () => void;
  /** The consumer is gone: its loop ended or threw, its signal aborted, or the session was closed. */
  readonly onLeft?: () => void;
}

/** Hands items to one consumer, one at a time, when it asks for the next. */
export class Handover<T> {
  readonly #what: string;
  readonly #items: T[] = [];
  #consumer: Consumer<T> | undefined;
  #held = false;
  #ended = false;

  /** @param what the name of the sequence, for messages */
  constructor(what: string) {
    this.#what = what;
  }

  /** Whether somebody consumes. */
  get consumed(): boolean {
    return this.#consumer !== undefined;
  }

  /** How many items wait to be asked for. */
  get pending(): number {
    return this.#items.length;
  }

  /** Adds an item. */
  offer(item: T): void {
    this.#items.push(item);
    this.#consumer?.wake();
  }

  /** Takes back everything that was not handed over. */
  takeBack(): T[] {
    return this.#items.splice(0);
  }

  /** Hands nothing over until {@link release}. */
  hold(): void {
    this.#held = true;
  }

  /** Ends a {@link hold}. */
  release(): void {
    this.#held = false;
    this.#consumer?.wake();
  }

  /** Ends the sequence for its consumer, and for every later one. Idempotent. */
  end(): void {
    this.#ended = true;
    this.#consumer?.leave();
  }

  /**
   * The sequence, for one consumer at a time; a second one gets `hub.already-consumed` thrown at once.
   * An abort of `signal` ends it and rejects the pending `next()` with `signal.reason`.
   */
  consume(hooks: HandoverHooks<T> = {}, { signal }: CallOptions = {}): AsyncIterableIterator<T> {
    signal?.throwIfAborted();
    if (this.#consumer) {
      throw new LandfallError(
        "hub.already-consumed",
        `${this.#what} can have one consumer at a time and has one already`,
      );
    }
    const take = (): T | undefined => (this.#held ? undefined : this.#items.shift());
    const stopListening = onAbort(signal, () => consumer.leave(signal?.reason));
    const left = (): void => {
      stopListening();
      this.#consumer = undefined;
      hooks.onLeft?.();
    };
    const consumer = new Consumer(take, { ...hooks, onLeft: left });
    if (this.#ended) consumer.leave();
    else this.#consumer = consumer;
    return consumer;
  }
}

class Consumer<T> implements AsyncIterableIterator<T> {
  readonly #take: () => T | undefined;
  readonly #hooks: HandoverHooks<T>;
  #waiting: Deferred<void> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #left = false;
  #failure: unknown;

  constructor(take: () => T | undefined, hooks: HandoverHooks<T>) {
    this.#take = take;
    this.#hooks = hooks;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Calls that overlap are answered one after the other. */
  next(): Promise<IteratorResult<T, undefined>> {
    const turn = this.#turn.then(() => this.#next());
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.leave();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<T, undefined>> {
    this.leave();
    throw error;
  }

  wake(): void {
    this.#waiting?.resolve();
  }

  /** @param reason what the pending `next()`, or else the following one, rejects with; without it, the sequence ends */
  leave(reason?: unknown): void {
    if (this.#left) return;
    this.#left = true;
    this.#failure = reason;
    this.#waiting?.resolve();
    this.#hooks.onLeft?.();
  }

  async #next(): Promise<IteratorResult<T, undefined>> {
    if (!this.#left) this.#hooks.onAsked?.();
    while (!this.#left) {
      const item = this.#take();
      if (item !== undefined) {
        this.#hooks.onHanded?.(item);
        return { done: false, value: item };
      }
      this.#waiting = deferred();
      await this.#waiting.promise;
    }
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
    return { done: true, value: undefined };
  }
}
