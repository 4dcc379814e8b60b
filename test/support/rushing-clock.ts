import type { Clock } from "../../src/clock.ts";
import { type Deferred, deferred } from "../../src/deferred.ts";

interface Sleeper {
  readonly wakesAt: number;
  readonly done: Deferred<void>;
}

/** Whoever sleeps longer waits for something else than time, in milliseconds. */
const longestMs = 3_600_000;

/** Turns of the event loop in which nothing new came to pass. */
const quietTurns = 8;

/**
 * A clock on which nobody waits: as soon as everything in this process has come to rest, it jumps to the moment when the next
 * sleeper wakes. Only for parts that speak to each other in memory: what another process does takes real time.
 */
export class RushingClock implements Clock {
  readonly #sleepers = new Set<Sleeper>();
  #elapsed = 0;
  #running = false;

  now(): number {
    return Date.UTC(2026, 0, 1) + this.#elapsed;
  }

  elapsed(): number {
    return this.#elapsed;
  }

  async sleep(ms: number, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    signal?.throwIfAborted();
    const sleeper = { wakesAt: this.#elapsed + Math.max(0, ms), done: deferred<void>() };
    if (ms <= longestMs) this.#sleepers.add(sleeper);
    const onAbort = (): void => sleeper.done.reject(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    void this.#rush();
    try {
      await sleeper.done.promise;
    } finally {
      this.#sleepers.delete(sleeper);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  async #rush(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    while (this.#sleepers.size > 0) {
      for (let turn = 0; turn < quietTurns; turn++) await new Promise((resolve) => setImmediate(resolve));
      const [next] = [...this.#sleepers].sort((one, other) => one.wakesAt - other.wakesAt);
      if (next === undefined) break;
      this.#elapsed = Math.max(this.#elapsed, next.wakesAt);
      this.#sleepers.delete(next);
      next.done.resolve();
    }
    this.#running = false;
  }
}
