import { untilAborted } from "../abort.ts";
import { type Deferred, deferred } from "../deferred.ts";
import { isLandfallError } from "../errors.ts";
import type { CallOptions, HubConnection } from "../transport/transport.ts";

/**
 * The connection that requests may use right now, if there is one, and the requests that wait for it.
 */
export class LiveConnection {
  #connection: HubConnection | undefined;
  #underWay = 0;
  #closed: Error | undefined;
  #changed: Deferred<void> = deferred();

  /** From now on requests go over `connection`. */
  offer(connection: HubConnection): void {
    this.#connection = connection;
    this.#announce();
  }

  /** From now on requests wait; those under way go on. */
  withdraw(): void {
    this.#connection = undefined;
  }

  /** Resolves as soon as requests may go out. Rejects with `signal.reason`, and with the reason of {@link close}. */
  async available({ signal }: CallOptions = {}): Promise<void> {
    await this.#other(undefined, signal);
  }

  /**
   * Runs `operation` over the live connection, and again over the next one each time its connection was closed
   * (`transport.closed`) before it had an answer; it must bear being repeated. Every other failure is passed on.
   * Rejects with `signal.reason`, and with the reason of {@link close}.
   */
  async use<T>(operation: (connection: HubConnection) => Promise<T>, { signal }: CallOptions = {}): Promise<T> {
    for (let used: HubConnection | undefined; ; ) {
      used = await this.#other(used, signal);
      this.#underWay += 1;
      try {
        return await untilAborted(operation(used), signal);
      } catch (error) {
        if (!isLandfallError(error) || error.code !== "transport.closed") throw error;
      } finally {
        this.#underWay -= 1;
        this.#announce();
      }
    }
  }

  /** Resolves when no operation is under way. Rejects with `signal.reason`. */
  async quiet({ signal }: CallOptions = {}): Promise<void> {
    while (this.#underWay > 0) await untilAborted(this.#changed.promise, signal);
  }

  /** Rejects everybody who waits for a connection, now or later, with `reason`. Idempotent. */
  close(reason: Error): void {
    this.#closed ??= reason;
    this.#connection = undefined;
    this.#announce();
  }

  /** A connection other than the one that failed. */
  async #other(used: HubConnection | undefined, signal: AbortSignal | undefined): Promise<HubConnection> {
    for (;;) {
      signal?.throwIfAborted();
      if (this.#closed) throw this.#closed;
      if (this.#connection && this.#connection !== used) return this.#connection;
      await untilAborted(this.#changed.promise, signal);
    }
  }

  #announce(): void {
    const changed = this.#changed;
    this.#changed = deferred();
    changed.resolve();
  }
}
