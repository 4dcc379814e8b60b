import type { Clock } from "../../clock.ts";

/** How many signatures may be asked for: so many at once, and so many a second in the long run. */
export interface SigningRate {
  readonly burst: number;
  readonly perSecond: number;
}

/** A TLS handshake takes one signature, and an agent that reconnects in vain makes one handshake in some seconds. */
export const defaultSigningRate: SigningRate = { burst: 30, perSecond: 2 };

/** Counts signatures against a rate. */
export class SigningAllowance {
  readonly #rate: SigningRate;
  readonly #clock: Clock;
  #left: number;
  #at: number;

  constructor(clock: Clock, rate: SigningRate = defaultSigningRate) {
    this.#rate = rate;
    this.#clock = clock;
    this.#left = rate.burst;
    this.#at = clock.elapsed();
  }

  /** Whether one more is allowed now; it is counted if so. */
  take(): boolean {
    const now = this.#clock.elapsed();
    this.#left = Math.min(this.#rate.burst, this.#left + ((now - this.#at) / 1000) * this.#rate.perSecond);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
