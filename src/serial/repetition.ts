import type { SmpRequest } from "./smp-client.ts";

/** What came of a try instead of an answer: nothing, an answer that could not be read, or the port went away. */
export type TryFailure = "silent" | "damaged" | "unplugged";

const defaults = { timeoutMs: 1_000, tries: 5 };

/** A damaged answer counts as so much of a silent try: the MCU is there, and has only to say it again. */
const damageShare = 1 / 8;

/**
 * How long the answers to a request are waited for, and whether it is said again: pure arithmetic over what came of each
 * try. In all it is waited for `tries` times `timeoutMs`, in many short waits where answers use to come soon.
 */
export class Repetition {
  readonly #mayRepeat: boolean;
  readonly #tries: number;
  readonly #timeoutMs: number;
  readonly #usualMs: number;
  #leftMs: number;
  #silences = 0;

  /** @param lateAfterMs after what time an answer is late on this line; undefined where that is not known */
  constructor(request: SmpRequest, lateAfterMs?: number) {
    const { timeoutMs = defaults.timeoutMs, tries = defaults.tries } = request;
    this.#mayRepeat = mayRepeat(request);
    this.#tries = this.#mayRepeat ? tries : 1;
    this.#timeoutMs = timeoutMs;
    // Whoever says how long it may take knows of work behind it; and what is said once has no other chance.
    const isOrdinary = request.timeoutMs === undefined && this.#tries > 1;
    this.#usualMs = isOrdinary ? Math.min(lateAfterMs ?? timeoutMs, timeoutMs) : timeoutMs;
    this.#leftMs = this.#tries * timeoutMs;
  }

  /** Milliseconds to wait for the answer to the next try: as usual twice, for bytes get lost, then longer and longer. */
  get waitMs(): number {
    const waitMs = Math.min(this.#timeoutMs, this.#usualMs * 2 ** Math.max(0, this.#silences - 1));
    // What would be left is no time for a try of its own.
    return this.#leftMs - waitMs < this.#timeoutMs * damageShare ? this.#leftMs : waitMs;
  }

  /** Whether one silence followed another. */
  get wasLongSilent(): boolean {
    return this.#silences > 1;
  }

  /** Notes that a try failed. Tells whether there is to be another. */
  goesOn(why: TryFailure): boolean {
    if (why === "unplugged") return this.#mayRepeat;
    this.#leftMs -= why === "silent" ? this.waitMs : this.#timeoutMs * damageShare;
    if (why === "silent") this.#silences += 1;
    return this.#tries > 1 && this.#leftMs > 0;
  }
}

/** Whether an MCU may get a request twice without harm. */
export function mayRepeat({ operation, repeatable = operation === "read" }: SmpRequest): boolean {
  return repeatable;
}
