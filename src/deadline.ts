import { onAbort, untilAborted } from "./abort.ts";
import type { Clock } from "./clock.ts";

/** How long {@link withDeadline} lets its work go on. */
export interface Deadline {
  readonly clock: Clock;
  /** Milliseconds the work may take. */
  readonly ms: number;
  /** Makes the error for work that took longer. */
  readonly expired: () => Error;
  /** Aborting ends the work earlier, with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `work` under a time limit. The signal that it gets aborts when the time is up or the caller's signal aborts;
 * the returned promise rejects at that moment, and the work has to let go of what it holds.
 */
export async function withDeadline<T>(work: (signal: AbortSignal) => Promise<T>, deadline: Deadline): Promise<T> {
  const { clock, ms, expired, signal } = deadline;
  signal?.throwIfAborted();
  const limit = new AbortController();
  const timer = new AbortController();
  const stopListening = onAbort(signal, () => limit.abort(signal?.reason));
  clock.sleep(ms, { signal: timer.signal }).then(
    () => limit.abort(expired()),
    () => {},
  );
  try {
    return await untilAborted(work(limit.signal), limit.signal);
  } finally {
    timer.abort();
    stopListening();
  }
}
