import { type Deferred, deferred } from "../../deferred.ts";

/** The messages with QoS 1 that a client has been sent and has not acknowledged, by packet id. */
export class Unacknowledged {
  readonly #waiting = new Map<number, Deferred<void>>();
  #lastId = 0;

  /** Takes a packet id that is free, 1 to 65535; the promise resolves with its PUBACK. */
  add(): { readonly packetId: number; readonly acknowledged: Promise<void> } {
    do {
      this.#lastId = (this.#lastId % 65_535) + 1;
    } while (this.#waiting.has(this.#lastId));
    const waiter = deferred<void>();
    this.#waiting.set(this.#lastId, waiter);
    return { packetId: this.#lastId, acknowledged: waiter.promise };
  }

  /** A PUBACK has come; one for an id that nobody waits for is ignored. */
  settle(packetId: number): void {
    this.#waiting.get(packetId)?.resolve();
    this.#waiting.delete(packetId);
  }

  /** Rejects all that still wait. */
  fail(reason: Error): void {
    for (const { promise, reject } of this.#waiting.values()) {
      promise.catch(() => {}); // whoever no longer listens is not told
      reject(reason);
    }
    this.#waiting.clear();
  }
}
