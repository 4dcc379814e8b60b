/** At most so many in any span of so long. What is turned away does not count. */
export class SlidingWindow {
  readonly #limit: number;
  readonly #spanMs: number;
  #takenMs: number[] = [];

  constructor(limit: number, spanMs: number) {
    this.#limit = limit;
    this.#spanMs = spanMs;
  }

  /** When the last one was taken; minus infinity before the first. */
  get lastTakenMs(): number {
    return this.#takenMs.at(-1) ?? Number.NEGATIVE_INFINITY;
  }

  /** Takes one at `nowMs` and returns 0, or returns the milliseconds until there is room again. */
  take(nowMs: number): number {
    this.#takenMs = this.#takenMs.filter((takenMs) => takenMs + this.#spanMs > nowMs);
    const [first = nowMs] = this.#takenMs;
    if (this.#takenMs.length >= this.#limit) return first + this.#spanMs - nowMs;
    this.#takenMs.push(nowMs);
    return 0;
  }
}
