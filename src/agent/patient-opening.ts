import { Backoff } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import { type LandfallError, mayPass } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { CallOptions } from "../transport/transport.ts";

/** An identity cannot be opened now; the next attempt follows after `delayMs`. */
export interface OpeningDelayed {
  readonly delayMs: number;
  readonly error: LandfallError;
}

/** Parts of {@link openPatiently}. */
export interface PatientOpeningParts<T> {
  /** One attempt. Nothing stays open of one that rejects. */
  readonly open: () => Promise<T>;
  /** Told before each wait. */
  readonly onWaiting: (about: OpeningDelayed) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/**
 * Opens what hardware holds, however long that takes to be there: what may pass by itself is waited for, by delays of up to
 * a second at first and a minute in the end. Rejects at once with what somebody has to mend first, above all a wrong PIN,
 * which a token takes a few times only; and with `signal.reason`.
 */
export async function openPatiently<T>(
  { open, onWaiting, clock, random, log }: PatientOpeningParts<T>,
  { signal }: CallOptions = {},
): Promise<T> {
  const pace = new Backoff({ random });
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await open();
    } catch (error) {
      if (!mayPass(error)) throw error;
      const delayMs = pace.next();
      const { code, message, remedy } = error;
      log.warn(`the key cannot be opened, next attempt in ${(delayMs / 1000).toFixed(1)} s: ${message}`, {
        code,
        remedy,
      });
      onWaiting({ delayMs, error });
      await clock.sleep(delayMs, { signal });
    }
  }
}
