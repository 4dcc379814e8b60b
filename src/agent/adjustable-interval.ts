import type { Clock } from "../clock.ts";

/** An interval that can change while somebody waits for it. */
export class AdjustableInterval {
  readonly #configuredMs: number;
  #ms: number;
  #changed = new AbortController();

  /** @param configuredMs milliseconds; 0: it never passes */
  constructor(configuredMs: number) {
    this.#configuredMs = configuredMs;
    this.#ms = configuredMs;
  }

  /** In milliseconds; 0: it never passes. */
  get ms(): number {
    return this.#ms;
  }

  /** @param ms milliseconds; absent: what the configuration says */
  set(ms: number = this.#configuredMs): void {
    this.#ms = ms;
    this.#changed.abort();
    this.#changed = new AbortController();
  }

  /** Resolves after one interval, counted from now or from the latest change after now. Rejects with `signal.reason`. */
  async pass(clock: Clock, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    for (;;) {
      const changed = this.#changed.signal;
      try {
        return await clock.sleep(this.#ms || Number.POSITIVE_INFINITY, { signal: AbortSignal.any([signal, changed]) });
      } catch (error) {
        signal.throwIfAborted();
        if (!changed.aborted) throw error;
      }
    }
  }
}
