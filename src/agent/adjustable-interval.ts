import { onAbort } from "../abort.ts";
import type { Clock } from "../clock.ts";

/** An interval that can change while somebody waits for it. */
export class AdjustableInterval {
  readonly #configuredMs: number;
  #ms: number;
  #wait = new AbortController();

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
    this.#wait.abort();
  }

  /**
   * Resolves after one interval, counted from now or from the latest change after now. For one waiter at a time.
   * Rejects with `signal.reason`.
   */
  async pass(clock: Clock, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const wait = new AbortController();
      this.#wait = wait;
      const stopListening = onAbort(signal, () => wait.abort());
      try {
        return await clock.sleep(this.#ms || Number.POSITIVE_INFINITY, { signal: wait.signal });
      } catch (error) {
        signal.throwIfAborted();
        if (!wait.signal.aborted) throw error;
      } finally {
        stopListening();
      }
    }
  }
}
