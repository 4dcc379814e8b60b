import { untilAborted } from "../abort.ts";
import { Backoff } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import { deferred } from "../deferred.ts";
import { isLandfallError } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import type { TwinDocument } from "../transport/messages.ts";
import type { CallOptions, HubConnection } from "../transport/transport.ts";
import type { LiveConnection } from "./live-connection.ts";

/** How often a request is made when the hub is busy or silent on a connection that lives. */
const attempts = 5;

/**
 * Requests about the twin, made over whatever connection is live. Each waits for a connection and is made again after a
 * drop, and a few times, with backoff, when the hub is throttling (429), has an internal error (5xx) or does not answer.
 */
export class TwinRequests {
  readonly #live: LiveConnection;
  readonly #clock: Clock;
  readonly #random: () => number;
  /** Resolves when the last patch that was asked for is settled. */
  #lastPatch: Promise<void> = Promise.resolve();

  constructor(parts: { readonly live: LiveConnection; readonly clock: Clock; readonly random: () => number }) {
    this.#live = parts.live;
    this.#clock = parts.clock;
    this.#random = parts.random;
  }

  /** The whole twin. Rejects with `hub.twin-rejected`, the last `transport.*`, `hub.closed` or `signal.reason`. */
  async read({ signal }: CallOptions = {}): Promise<TwinDocument> {
    return this.#request((connection) => connection.getTwin({ signal }), signal);
  }

  /**
   * Merges `patch` into the reported properties and resolves with their new version. One patch after the other, in the
   * order of the calls: a merge may be repeated, but not after a later one. Rejects as {@link read} does.
   */
  async patchReported(patch: JsonObject, { signal }: CallOptions = {}): Promise<number> {
    signal?.throwIfAborted();
    const before = this.#lastPatch;
    const settled = deferred<void>();
    this.#lastPatch = settled.promise;
    try {
      await untilAborted(before, signal);
      return await this.#request((connection) => connection.patchReported(patch, { signal }), signal);
    } finally {
      // A call that gives up while it waits must not let those behind it overtake the one before.
      void before.then(settled.resolve);
    }
  }

  /** Resolves when every patch that was asked for is settled. Rejects with `signal.reason`. */
  async settled({ signal }: CallOptions = {}): Promise<void> {
    await untilAborted(this.#lastPatch, signal);
  }

  async #request<T>(make: (connection: HubConnection) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    for (const backoff = new Backoff({ random: this.#random }); ; ) {
      try {
        return await this.#live.use(make, { signal });
      } catch (error) {
        if (!isTransient(error) || backoff.failures + 1 >= attempts) throw error;
        const namedDelayMs = (isLandfallError(error) && error.retryAfterMs) || 0;
        await this.#clock.sleep(namedDelayMs + backoff.next(), { signal });
      }
    }
  }
}

/** What passes by itself; a transport of somebody else may put a busy hub into `hub.twin-rejected` as well. */
function isTransient(error: unknown): boolean {
  if (!isLandfallError(error)) return false;
  const { status = 0 } = error.service ?? {};
  return error.retry !== "never" || status === 429 || status >= 500;
}
