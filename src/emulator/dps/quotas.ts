import type { Clock } from "../../clock.ts";
import { LandfallError } from "../../errors.ts";
import { SlidingWindow } from "./sliding-window.ts";

/** How much DPS takes before it answers 429. */
export interface DpsQuotas {
  /** Registrations in any minute, of all devices together. Default 1000, as of the real service. */
  readonly registrationsPerMinute?: number;
  /** Polls of one device in any ten seconds. Default 5, as of the real service. */
  readonly pollsPerTenSeconds?: number;
}

const minuteMs = 60_000;
const tenSecondsMs = 10_000;

/** Counts requests against {@link DpsQuotas}. Registrations and polls are throttled apart; look-ups are not. */
export class QuotaCounter {
  readonly #clock: Clock;
  #registrations: SlidingWindow | undefined;
  #pollLimit: number | undefined;
  /** By registration id, the one that polled last at the end. */
  readonly #polls = new Map<string, SlidingWindow>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Switches quotas on, with all counts at zero, or off. Throws `emulator.rejected` for a quota that is no whole number of 1 or more. */
  set(quotas: DpsQuotas | undefined): void {
    const { registrationsPerMinute = 1000, pollsPerTenSeconds = 5 } = quotas ?? {};
    for (const [name, value] of Object.entries({ registrationsPerMinute, pollsPerTenSeconds })) {
      if (Number.isInteger(value) && value >= 1) continue;
      throw new LandfallError("emulator.rejected", `quota ${name}: expected an integer of 1 or more, found ${value}.`);
    }
    this.#polls.clear();
    this.#registrations = quotas === undefined ? undefined : new SlidingWindow(registrationsPerMinute, minuteMs);
    this.#pollLimit = quotas === undefined ? undefined : pollsPerTenSeconds;
  }

  /** Counts a request; returns the whole seconds after which there is room, or `undefined` when it may be served. */
  secondsToWait(step: "register" | "poll" | "look-up", registrationId: string): number | undefined {
    const nowMs = this.#clock.elapsed();
    const window =
      step === "register" ? this.#registrations : step === "poll" ? this.#pollsOf(registrationId, nowMs) : undefined;
    const waitMs = window?.take(nowMs) ?? 0;
    return waitMs > 0 ? Math.ceil(waitMs / 1000) : undefined;
  }

  #pollsOf(registrationId: string, nowMs: number): SlidingWindow | undefined {
    if (this.#pollLimit === undefined) return undefined;
    const key = registrationId.toLowerCase();
    const window = this.#polls.get(key) ?? new SlidingWindow(this.#pollLimit, tenSecondsMs);
    this.#polls.delete(key);
    this.#polls.set(key, window);
    for (const [id, { lastTakenMs }] of this.#polls) {
      if (lastTakenMs + tenSecondsMs > nowMs || id === key) break;
      this.#polls.delete(id);
    }
    return window;
  }
}
