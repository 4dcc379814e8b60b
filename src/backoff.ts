/** Settings of a {@link Backoff}. */
export interface BackoffOptions {
  /** Upper bound of the first delay, in milliseconds. Default 1000. */
  readonly baseMs?: number;
  /** Upper bound of every delay, in milliseconds. Default 60 000. */
  readonly capMs?: number;
  /** Uniform random numbers in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
}

/**
 * Exponential backoff with full jitter: the n-th delay is uniform between 0 and `min(cap, base × 2^n)`.
 * Full jitter spreads a fleet that lost its hub at one moment over the whole span, instead of letting it return in waves.
 */
export class Backoff {
  readonly #baseMs: number;
  readonly #capMs: number;
  readonly #random: () => number;
  #failures = 0;

  constructor({ baseMs = 1000, capMs = 60_000, random = Math.random }: BackoffOptions = {}) {
    this.#baseMs = baseMs;
    this.#capMs = capMs;
    this.#random = random;
  }

  /** Failures since the last {@link reset}. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts one failure and returns how many milliseconds to wait before the next attempt. */
  next(): number {
    const delayMs = fullJitterMs(this.#failures, this.#random(), { baseMs: this.#baseMs, capMs: this.#capMs });
    this.#failures += 1;
    return delayMs;
  }

  /** Call on success: the next delay starts from the base again. */
  reset(): void {
    this.#failures = 0;
  }
}

/**
 * The delay behind {@link Backoff}, for pure code that counts its failures itself.
 * @param failures how many failures there were before this one, 0 or more
 * @param draw a uniform random number in [0, 1)
 */
export function fullJitterMs(
  failures: number,
  draw: number,
  { baseMs = 1000, capMs = 60_000 }: Omit<BackoffOptions, "random"> = {},
): number {
  return draw * Math.min(capMs, baseMs * 2 ** failures);
}
