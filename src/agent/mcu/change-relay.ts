import { untilAborted } from "../../abort.ts";
import { deferred } from "../../deferred.ts";
import type { DesiredChange } from "../../hub/desired-document.ts";
import { isJsonObject, type JsonObject } from "../../json.ts";
import type { CallOptions } from "../../transport/transport.ts";

/**
 * Hands changes of the desired properties on to somebody slower than the twin. What he has not got to yet is put together
 * to one change, so that an MCU that was away for a week gets the outcome and not the history.
 */
export class ChangeRelay {
  #waiting: DesiredChange | undefined;
  #arrived = deferred<void>();

  /** Adds a change behind the others. */
  give(change: DesiredChange): void {
    const before = this.#waiting;
    this.#waiting = before === undefined ? change : { ...change, patch: joinPatches(before.patch, change.patch) };
    this.#arrived.resolve();
  }

  /**
   * The changes, for one consumer. Ends by rejecting with `signal.reason`, or as `ready` does.
   * @param ready resolves once he can deal with a change; what arrives until then is put to it. Default: at once.
   */
  async *changes(
    { signal }: CallOptions = {},
    ready: (options: CallOptions) => Promise<void> = async () => {},
  ): AsyncIterableIterator<DesiredChange> {
    for (;;) {
      await untilAborted(this.#arrived.promise, signal);
      await ready({ signal });
      const change = this.#waiting;
      this.#waiting = undefined;
      this.#arrived = deferred();
      if (change !== undefined) yield change;
    }
  }
}

/** The merge patch that does what two do one after the other, where neither deletes an object that the other fills. */
export function joinPatches(first: JsonObject, second: JsonObject): JsonObject {
  const joined = new Map(Object.entries(first));
  for (const [name, value] of Object.entries(second)) {
    const before = joined.get(name);
    joined.set(name, isJsonObject(before) && isJsonObject(value) ? joinPatches(before, value) : value);
  }
  return Object.fromEntries(joined);
}
