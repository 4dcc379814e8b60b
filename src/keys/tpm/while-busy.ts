import type { Clock } from "../../clock.ts";
import { isLandfallError } from "../../errors.ts";

/** How often it is tried, and the first pause in milliseconds, which doubles: about five seconds in all. */
const patience = { attempts: 9, firstPauseMs: 20 };

/**
 * Tries `step` again as long as it rejects with `tpm.busy`, for about five seconds; then it rejects with that.
 * No attempt is begun after the signal has aborted: it rejects with `signal.reason`.
 */
export async function whileBusy<T>(
  step: () => Promise<T>,
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal | undefined },
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await step();
    } catch (error) {
      if (!isLandfallError(error) || error.code !== "tpm.busy" || attempt >= patience.attempts) throw error;
    }
    await clock.sleep(patience.firstPauseMs * 2 ** (attempt - 1), { signal });
  }
}
