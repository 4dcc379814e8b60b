import { describeCause } from "../../errors.ts";
import type { Logger } from "../../log.ts";

interface Handling {
  /** Absent for a publication that wants no acknowledgement. */
  readonly packetId: number | undefined;
  finished: boolean;
  readonly settled: Promise<void>;
}

/**
 * Acknowledges publications whose handling takes time. Handlers run side by side; the acknowledgements go out in the order
 * in which the publications came in, as the protocol wants it [MQTT-4.6.0-2].
 */
export class OrderedAcknowledgements {
  readonly #send: (packetId: number) => void;
  readonly #log: Logger;
  readonly #handling: Handling[] = [];

  constructor(send: (packetId: number) => void, log: Logger) {
    this.#send = send;
    this.#log = log;
  }

  /** Whether the publication with this id is still being handled, so that another with it is a repetition. */
  has(packetId: number): boolean {
    return this.#handling.some((each) => each.packetId === packetId);
  }

  /**
   * Takes a publication over. It is acknowledged once `handled` resolves and all before it are dealt with; when `handled`
   * rejects it never is, and the service delivers it again.
   * @param packetId absent at QoS 0: nothing to acknowledge, but {@link idle} waits for it
   */
  add(packetId: number | undefined, handled: Promise<void>): void {
    const handling: Handling = {
      packetId,
      finished: false,
      settled: handled.then(
        () => {
          handling.finished = true;
          this.#flush();
        },
        (error: unknown) => {
          this.#log.warn("a message was not handled; it stays with the service", {
            packetId,
            error: describeCause(error),
          });
          this.#handling.splice(this.#handling.indexOf(handling), 1);
          this.#flush();
        },
      ),
    };
    this.#handling.push(handling);
  }

  /** Resolves when nothing is being handled any more. */
  async idle(): Promise<void> {
    while (this.#handling.length > 0) await Promise.all(this.#handling.map(({ settled }) => settled));
  }

  #flush(): void {
    while (this.#handling[0]?.finished) {
      const { packetId } = this.#handling.shift() as Handling;
      if (packetId !== undefined) this.#send(packetId);
    }
  }
}
