import type { Clock } from "../../clock.ts";

/** The emulator's clock as one service reads it: the same, but for requests that a fault has scripted otherwise. */
export class SkewableClock implements Clock {
  readonly #clock: Clock;
  #skewMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now() + this.#skewMs;
  }

  elapsed(): number {
    return this.#clock.elapsed();
  }

  sleep(ms: number, options?: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    return this.#clock.sleep(ms, options);
  }

  /**
   * Runs `serve` while {@link now} is `skewMs` milliseconds ahead. What it starts and does not wait for reads the right
   * time again.
   */
  skewed<T>(skewMs: number, serve: () => T): T {
    const before = this.#skewMs;
    this.#skewMs = skewMs;
    try {
      return serve();
    } finally {
      this.#skewMs = before;
    }
  }
}
