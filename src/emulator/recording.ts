import { untilAborted } from "../abort.ts";
import { type Deferred, deferred } from "../deferred.ts";
import { LandfallError } from "../errors.ts";

/** What {@link Recording.watch} takes. */
export interface WatchOptions<T> {
  /** Only items for which this is true. Default all. */
  readonly where?: ((item: T) => boolean) | undefined;
  /** `start` (default): what is already recorded comes first, so that nothing is missed. `now`: only what comes after the call. */
  readonly from?: "start" | "now" | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * An append-only record that can be read at leisure and waited on. Only the last `limit` items are kept; a reader that is
 * slower than that skips the oldest, so that a record never grows with its slowest reader.
 */
export class Recording<T> {
  readonly #limit: number;
  readonly #items: T[] = [];
  #added = 0;
  #closed = false;
  #changed: Deferred<void> = deferred();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Everything still kept, oldest first; a copy. */
  get all(): readonly T[] {
    return [...this.#items];
  }

  add(item: T): void {
    this.#items.push(item);
    this.#added += 1;
    if (this.#items.length > this.#limit) this.#items.shift();
    this.#announce();
  }

  /** Yields items as they come; ends when the recording is closed, throws `signal.reason` when the signal aborts. */
  watch({ where = () => true, from = "start", signal }: WatchOptions<T> = {}): AsyncIterableIterator<T> {
    return this.#follow(from === "now" ? this.#added : 0, where, signal);
  }

  /** The next item that fits. Rejects with `emulator.closed` when there will be none, or with `signal.reason`. */
  async next(options: WatchOptions<T> = {}): Promise<T> {
    for await (const item of this.watch(options)) return item;
    throw new LandfallError("emulator.closed", "The emulator was closed before what was waited for had happened.");
  }

  /** Ends every reader. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#announce();
  }

  async *#follow(
    start: number,
    where: (item: T) => boolean,
    signal: AbortSignal | undefined,
  ): AsyncIterableIterator<T> {
    for (let position = start; ; ) {
      signal?.throwIfAborted();
      position = Math.max(position, this.#added - this.#items.length);
      if (position < this.#added) {
        const item = this.#items[position - (this.#added - this.#items.length)] as T;
        position += 1;
        if (where(item)) yield item;
      } else if (this.#closed) {
        return;
      } else {
        await untilAborted(this.#changed.promise, signal);
      }
    }
  }

  #announce(): void {
    const changed = this.#changed;
    this.#changed = deferred();
    changed.resolve();
  }
}
