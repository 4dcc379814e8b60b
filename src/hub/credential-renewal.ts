import type { Clock } from "../clock.ts";

/** The part of a token's life after which it is renewed. */
const renewAtPart = 0.75;

/** No token is renewed sooner, however short its life: a connection takes time, and the hub counts them. */
const leastDelayMs = 10_000;

/** Longest sleep between two looks at the wall clock. */
const lookEveryMs = 60_000;

/**
 * Milliseconds from connecting until the token should be renewed: three quarters of the life it has left, and at least
 * 10 s.
 *
 * The last quarter is for clocks that disagree, because the hub judges the expiry by its own. For a token of one hour it
 * is 15 minutes, so a device clock that is up to 15 minutes behind still renews in time, and ± 10 minutes leave room for
 * the renewal itself. A clock that is ahead makes tokens that live longer, which the hub does not mind.
 *
 * Shorter tokens bear less, always a quarter of their life: one of 20 minutes bears 5. Beyond that the hub closes first;
 * the session then connects again with a new token, as after any drop. A clock that is behind by the whole life of a
 * token makes only expired ones: the hub refuses each, and only setting the clock helps.
 */
export function renewalDelayMs(lifeLeftMs: number): number {
  return Math.max(leastDelayMs, lifeLeftMs * renewAtPart);
}

/**
 * Resolves when a credential that expires at `expiresAtMs` (milliseconds since the epoch) should be renewed, measured
 * from now. Rejects with `signal.reason`.
 *
 * The span is measured by {@link Clock.elapsed}, so that a step of the wall clock does not put the renewal off. The wall
 * clock can bring it forward: when it was set ahead, or when the machine slept and elapsed time stood still.
 */
export async function untilRenewalDue(
  expiresAtMs: number,
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const delayMs = renewalDelayMs(expiresAtMs - clock.now());
  const elapsedDueMs = clock.elapsed() + delayMs;
  const wallDueMs = clock.now() + delayMs;
  for (;;) {
    const leftMs = Math.min(elapsedDueMs - clock.elapsed(), wallDueMs - clock.now());
    if (leftMs <= 0) return;
    await clock.sleep(Math.min(leftMs, lookEveryMs), { signal });
  }
}
