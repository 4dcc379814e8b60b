import { untilAborted } from "../abort.ts";
import { deferred } from "../deferred.ts";

/** Lets one in at a time, in the order of asking. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Runs `work` once everybody before has finished. Rejects with `signal.reason` when that takes too long. */
  async take<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const before = this.#last;
    const finished = deferred<void>();
    this.#last = Promise.all([before, finished.promise]).then(() => {});
    try {
      await untilAborted(before, signal);
      return await work();
    } finally {
      finished.resolve();
    }
  }
}
