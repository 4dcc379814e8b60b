import { deferred } from "./deferred.ts";

interface Watch {
  readonly listeners: Set<{ call(): void }>;
  readonly dispatch: () => void;
}

const watches = new WeakMap<AbortSignal, Watch>();

/**
 * Calls `listener` when `signal` aborts; never for a signal that has aborted already. Returns what takes it away again.
 * However many listen this way, the signal itself has one listener: the platform warns of a leak from eleven on, and a
 * program may well pass one signal to a hundred calls.
 */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal === undefined || signal.aborted) return () => {};
  const watch = watches.get(signal) ?? startWatch(signal);
  const entry = { call: listener };
  watch.listeners.add(entry);
  return () => {
    if (!watch.listeners.delete(entry) || watch.listeners.size > 0) return;
    signal.removeEventListener("abort", watch.dispatch);
    watches.delete(signal);
  };
}

function startWatch(signal: AbortSignal): Watch {
  const listeners: Watch["listeners"] = new Set();
  const dispatch = (): void => {
    watches.delete(signal);
    for (const entry of listeners) entry.call();
  };
  const watch = { listeners, dispatch };
  watches.set(signal, watch);
  signal.addEventListener("abort", dispatch, { once: true });
  return watch;
}

/**
 * Waits for `promise`, but no longer than `signal` allows: an abort rejects with `signal.reason` at once.
 * The promise itself goes on; its later failure is not reported as unhandled.
 */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  if (signal.aborted) {
    promise.catch(() => {});
    throw signal.reason;
  }
  const aborted = deferred<never>();
  const stopListening = onAbort(signal, () => aborted.reject(signal.reason));
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    stopListening();
    promise.catch(() => {});
  }
}

/** Resolves when `signal` aborts, at once when it has. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
