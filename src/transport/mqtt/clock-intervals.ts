import type { Clock } from "../../clock.ts";

/** Repeating timers in the form that the MQTT client takes them. */
export interface Intervals {
  set(run: (...args: unknown[]) => unknown, everyMs?: number): number;
  clear(id: number): void;
}

/** Repeating timers that follow `clock`, so that keep-alive obeys the clock of a test as everything else does. */
export function intervalsOf(clock: Clock): Intervals {
  const running = new Map<number, AbortController>();
  let latest = 0;
  return {
    set(run, everyMs = 0) {
      latest += 1;
      const stop = new AbortController();
      running.set(latest, stop);
      void repeat(clock, everyMs, run, stop.signal);
      return latest;
    },
    clear(id) {
      running.get(id)?.abort();
      running.delete(id);
    },
  };
}

async function repeat(clock: Clock, everyMs: number, run: () => unknown, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await clock.sleep(everyMs, { signal });
    } catch {
      return; // cleared
    }
    run();
  }
}
