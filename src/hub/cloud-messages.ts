import { untilAborted } from "../abort.ts";
import { type Deferred, deferred } from "../deferred.ts";
import { LandfallError } from "../errors.ts";
import type { CloudMessage } from "../transport/messages.ts";
import type { CallOptions } from "../transport/transport.ts";
import { Handover } from "./handover.ts";

/** A cloud-to-device message in the hands of its consumer. */
export interface ReceivedMessage extends CloudMessage {
  /** Completes the message now: the hub deletes its copy. Asking for the next message does the same. Idempotent. */
  done(): void;
}

/**
 * Cloud-to-device messages, handed to one consumer. The hub keeps each until the consumer is done with it; what a
 * consumer leaves behind, or a connection takes along, is delivered again.
 */
export class CloudMessages {
  readonly #handover = new Handover<ReceivedMessage>("the sequence of cloud-to-device messages");
  readonly #onWanted: () => void;
  /** Every message that is not completed, with the end of its delivery. */
  readonly #open = new Map<ReceivedMessage, Deferred<void>>();
  /** The one in the consumer's hands. */
  #current: ReceivedMessage | undefined;
  #sentBack = false;
  #changed: Deferred<void> = deferred();

  /** @param onWanted called when a consumer starts */
  constructor({ onWanted }: { readonly onWanted: () => void }) {
    this.#onWanted = onWanted;
  }

  /** Whether somebody consumes; only then is it worth while to subscribe. */
  get wanted(): boolean {
    return this.#handover.consumed;
  }

  /** Whether messages of the present connection went back: only a new connection brings them again. */
  get sentBack(): boolean {
    return this.#sentBack;
  }

  /**
   * The messages, oldest first, for one consumer at a time. A message is completed when the consumer asks for the next
   * one or calls its `done()`; a loop that throws, returns or breaks leaves it to be delivered again.
   * Throws `hub.already-consumed`. An abort ends the sequence and rejects with `signal.reason`.
   */
  consume(options: CallOptions = {}): AsyncIterableIterator<ReceivedMessage> {
    const sequence = this.#handover.consume(
      {
        onHanded: (message) => {
          this.#current = message;
        },
        onAsked: () => this.#current?.done(),
        onLeft: () => this.#sendBack("its consumer went away without completing it"),
      },
      options,
    );
    this.#onWanted();
    return sequence;
  }

  /** A message came in. Resolves when its consumer has completed it; rejects with `hub.message-not-completed`. */
  async deliver(message: CloudMessage): Promise<void> {
    if (!this.wanted) {
      this.#sentBack = true;
      throw new LandfallError("hub.message-not-completed", "nobody consumes cloud-to-device messages");
    }
    const completed = deferred<void>();
    const received: ReceivedMessage = { ...message, done: () => this.#complete(received) };
    this.#open.set(received, completed);
    this.#handover.offer(received);
    await completed.promise;
  }

  /** Hands no more messages over until {@link reset}. */
  hold(): void {
    this.#handover.hold();
  }

  /** Resolves when the consumer has no uncompleted message in its hands. Rejects with `signal.reason`. */
  async idle({ signal }: CallOptions = {}): Promise<void> {
    while (this.#current) await untilAborted(this.#changed.promise, signal);
  }

  /** The connection is gone: what it delivered and is not completed will come again over the next one. */
  reset(): void {
    this.#sendBack("the connection that delivered it is gone");
    this.#sentBack = false;
    this.#handover.release();
  }

  /** Ends the consumer's sequence. Idempotent. */
  close(): void {
    this.#handover.end();
  }

  #complete(message: ReceivedMessage): void {
    this.#open.get(message)?.resolve();
    this.#open.delete(message);
    if (this.#current !== message) return;
    this.#current = undefined;
    this.#announce();
  }

  #sendBack(why: string): void {
    if (this.#open.size === 0) return;
    this.#handover.takeBack();
    this.#sentBack = true;
    const error = new LandfallError("hub.message-not-completed", `the message goes back to the hub: ${why}`);
    for (const completed of this.#open.values()) completed.reject(error);
    this.#open.clear();
    this.#current = undefined;
    this.#announce();
  }

  #announce(): void {
    const changed = this.#changed;
    this.#changed = deferred();
    changed.resolve();
  }
}
