import type { Clock } from "../../clock.ts";

/** Over how long a rate is taken, in milliseconds. */
const windowMs = 5_000;

/** How fast a transfer goes, from what it was lately. */
export class TransferRate {
  readonly #clock: Clock;
  readonly #seen: { readonly atMs: number; readonly bytes: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Tells how far the transfer is; one that goes back begins anew. The first step away from 0 counts for nothing: the far
   * end erases its flash in that time, or had a part already.
   */
  reached(bytes: number): void {
    const before = this.#seen.at(-1)?.bytes ?? 0;
    if (bytes < before || before === 0) this.#seen.length = 0;
    this.#seen.push({ atMs: this.#clock.elapsed(), bytes });
    while (this.#seen.length > 2 && (this.#seen[1]?.atMs ?? 0) < this.#clock.elapsed() - windowMs) this.#seen.shift();
  }

  /** Bytes a second; undefined until two moments lie apart. */
  get bytesPerSecond(): number | undefined {
    const [first, last] = [this.#seen[0], this.#seen.at(-1)];
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return undefined;
    return ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs);
  }

  /** Seconds that so many bytes will take; undefined while nothing moves. */
  secondsFor(bytes: number): number | undefined {
    const rate = this.bytesPerSecond;
    return rate === undefined || rate === 0 ? undefined : bytes / rate;
  }
}
