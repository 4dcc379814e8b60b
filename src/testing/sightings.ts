import { type Deferred, deferred } from "../deferred.ts";

/** What a double saw, in order, and a way to wait until it has seen enough. No timers: a test that waits in vain times out. */
export class Sightings<T> {
  readonly #all: T[] = [];
  #changed: Deferred<void> = deferred();

  /** Everything seen so far, oldest first. */
  get all(): readonly T[] {
    return this.#all;
  }

  /** Adds one and wakes whoever waits. */
  add(sighting: T): void {
    this.#all.push(sighting);
    const changed = this.#changed;
    this.#changed = deferred();
    changed.resolve();
  }

  /** Resolves with the `count`-th sighting (1 is the first), at once when it has been seen already. */
  async nth(count: number): Promise<T> {
    while (this.#all.length < count) await this.#changed.promise;
    return this.#all[count - 1] as T;
  }
}
