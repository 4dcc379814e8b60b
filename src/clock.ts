import { setTimeout as delay } from "node:timers/promises";

/**
 * Time, as everything in landfall sees it. Tests put a clock of their own in its place, so that no test sleeps.
 */
export interface Clock {
  /** Wall-clock time, milliseconds since the Unix epoch; may jump when the machine's clock is set. */
  now(): number;
  /** Milliseconds that never run backwards, from an arbitrary start; for measuring spans. */
  elapsed(): number;
  /**
   * Resolves after `ms` milliseconds (0 or less: at the next turn).
   * Rejects with `signal.reason` as soon as the signal aborts.
   */
  sleep(ms: number, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
}

/** Longest single timer of the platform (2^31 - 1 ms, about 24.8 days); a longer one would fire at once. */
const longestTimerMs = 2_147_483_647;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  async sleep(ms, { signal } = {}) {
    signal?.throwIfAborted();
    for (let left = Math.max(0, ms); ; left -= longestTimerMs) {
      try {
        await delay(Math.min(left, longestTimerMs), undefined, signal ? { signal } : {});
      } catch (error) {
        // The platform rejects with an AbortError of its own; callers are promised the signal's reason.
        throw signal?.aborted ? signal.reason : error;
      }
      if (left <= longestTimerMs) return;
    }
  },
};
