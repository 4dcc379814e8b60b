import type { Backoff } from "../../backoff.ts";
import type { Clock } from "../../clock.ts";
import { describeCause, mayPass } from "../../errors.ts";
import type { Logger } from "../../log.ts";

/** What {@link startAgain} works with. */
export interface StartingAgain {
  readonly clock: Clock;
  /** The delays; kept over the life of what is started, lest it end and start in a hurry for ever. */
  readonly pace: Backoff;
  readonly log: Logger;
}

/**
 * Has something that ended by itself started again: after a delay, and after another one as long as that fails by what may
 * pass. Gives up at other failures, which `start` tells whoever asks for it next. Never rejects.
 */
export async function startAgain(
  start: () => Promise<void>,
  { clock, pace, log }: StartingAgain,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  for (;;) {
    try {
      await clock.sleep(pace.next(), { signal });
      await start();
      return;
    } catch (error) {
      // Whoever ended it on purpose wants no other.
      if (signal.aborted) return;
      log.warn(`the thread that has the port does not start again: ${describeCause(error)}`, { error });
      if (!mayPass(error)) return;
    }
  }
}
