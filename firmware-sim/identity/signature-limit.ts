import type { Clock } from "../../src/clock.ts";

/** So many signatures at once and in a minute, each coming back after its part of the minute. */
export class SignatureLimit {
  readonly #clock: Clock;
  readonly #mostAtOnce: number;
  #left: number;
  #countedAtMs: number;

  constructor(perMinute: number, clock: Clock) {
    this.#clock = clock;
    this.#mostAtOnce = perMinute;
    this.#left = perMinute;
    this.#countedAtMs = clock.elapsed();
  }

  /** Takes one; false when none is left. */
  take(): boolean {
    const now = this.#clock.elapsed();
    const returned = ((now - this.#countedAtMs) * this.#mostAtOnce) / 60_000;
    this.#left = Math.min(this.#mostAtOnce, this.#left + returned);
    this.#countedAtMs = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
