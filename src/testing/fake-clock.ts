import type { Clock } from "../clock.ts";
import { type Deferred, deferred } from "../deferred.ts";

interface Sleeper {
  readonly wakesAt: number;
  readonly done: Deferred<void>;
}

/**
 * A clock that stands still until a test moves it. {@link advance} wakes sleepers in the order of their time and lets
 * the code behind each of them run before it goes on to the next.
 */
export class FakeClock implements Clock {
  readonly #startedAt: number;
  readonly #sleepers: Sleeper[] = [];
  #elapsed = 0;
  #offset = 0;
  #changed: Deferred<void> = deferred();

  /** @param startsAt wall-clock time of the start, milliseconds since the epoch */
  constructor(startsAt: number = Date.UTC(2026, 0, 1)) {
    this.#startedAt = startsAt;
  }

  now(): number {
    return this.#startedAt + this.#offset + this.#elapsed;
  }

  elapsed(): number {
    return this.#elapsed;
  }

  async sleep(ms: number, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    signal?.throwIfAborted();
    const sleeper: Sleeper = { wakesAt: this.#elapsed + Math.max(0, ms), done: deferred() };
    this.#sleepers.push(sleeper);
    this.#announce();
    const onAbort = (): void => {
      this.#remove(sleeper);
      sleeper.done.reject(signal?.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      await sleeper.done.promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Milliseconds until each pending sleeper wakes, soonest first. */
  get pending(): number[] {
    return this.#sleepers.map(({ wakesAt }) => wakesAt - this.#elapsed).sort((a, b) => a - b);
  }

  /** Resolves as soon as at least `count` sleepers are pending. */
  async sleeping(count = 1): Promise<void> {
    while (this.#sleepers.length < count) await this.#changed.promise;
  }

  /** Moves time by `ms`, waking every sleeper on the way. */
  async advance(ms: number): Promise<void> {
    const until = this.#elapsed + ms;
    await settle();
    for (;;) {
      const next = this.#sleepers.reduce<Sleeper | undefined>(
        (soonest, each) => (soonest === undefined || each.wakesAt < soonest.wakesAt ? each : soonest),
        undefined,
      );
      if (next === undefined || next.wakesAt > until) break;
      this.#elapsed = Math.max(this.#elapsed, next.wakesAt);
      this.#remove(next);
      next.done.resolve();
      await settle();
    }
    this.#elapsed = until;
  }

  /** Sets the wall clock forward or back by `ms`, as an NTP step does; nobody wakes. */
  step(ms: number): void {
    this.#offset += ms;
  }

  #remove(sleeper: Sleeper): void {
    const index = this.#sleepers.indexOf(sleeper);
    if (index >= 0) this.#sleepers.splice(index, 1);
    this.#announce();
  }

  #announce(): void {
    const changed = this.#changed;
    this.#changed = deferred();
    changed.resolve();
  }
}

/** Lets promise chains and immediates that are ready run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
