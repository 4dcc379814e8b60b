import type { Clock } from "../clock.ts";

/** Notices when nothing comes on a line any more. */
export class QuietLine {
  readonly #clock: Clock;
  #heard = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something came. */
  heard(): void {
    this.#heard += 1;
  }

  /** Resolves once nothing has come for `ms` milliseconds. Rejects with `signal.reason`. */
  async quietFor(ms: number, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    for (let before: number | undefined; before !== this.#heard; ) {
      before = this.#heard;
      await this.#clock.sleep(ms, { signal });
    }
  }
}
