import type { Duplex } from "node:stream";
import { untilAborted } from "../abort.ts";
import { Backoff } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import { deferred } from "../deferred.ts";
import { describeCause, isLandfallError, LandfallError } from "../errors.ts";
import type { Port } from "./port.ts";

/** Settings of a {@link PortKeeper}. */
export interface PortKeeperOptions {
  readonly port: Port;
  readonly clock: Clock;
  /** Uniform random numbers in [0, 1), for the delays between attempts. */
  readonly random: () => number;
  /** The port is open. */
  readonly onUp: (stream: Duplex) => void;
  /** The port went away, or could not be opened at the first attempt. Further failures are not told. */
  readonly onDown: (error: LandfallError) => void;
}

/** Upper bound of the first delay before a port is tried again, and of all: somebody may be waiting with a plug in hand. */
const patience = { baseMs: 250, capMs: 5_000 };

/** A port that stayed less than this, in milliseconds, counts as one that could not be opened. */
const steadyAfterMs = 1_000;

/** Keeps a port open: opens it again whenever it comes back under its name, until it is closed. */
export class PortKeeper {
  readonly #options: PortKeeperOptions;
  readonly #backoff: Backoff;
  readonly #closing = new AbortController();
  #told = false;

  constructor(options: PortKeeperOptions) {
    this.#options = options;
    this.#backoff = new Backoff({ ...patience, random: options.random });
    void this.#keep();
  }

  /** Lets go of the port and stops trying. Neither callback is called any more. */
  close(): void {
    this.#closing.abort(new LandfallError("serial.closed", "the port was closed"));
  }

  async #keep(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#session(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#tellDown(error);
      }
      await this.#options.clock.sleep(this.#backoff.next(), { signal }).catch(() => {});
    }
  }

  async #session(signal: AbortSignal): Promise<void> {
    const { port, clock, onUp } = this.#options;
    const stream = await port.open({ signal });
    const closed = deferred<void>();
    let failure: Error | undefined;
    stream.once("error", (error) => {
      failure = error;
    });
    stream.once("end", () => stream.destroy());
    stream.once("close", () => closed.resolve());
    const openedAt = clock.elapsed();
    this.#told = false;
    onUp(stream);
    try {
      await untilAborted(closed.promise, signal);
    } finally {
      stream.destroy();
    }
    if (clock.elapsed() - openedAt >= steadyAfterMs) this.#backoff.reset();
    const why = failure === undefined ? "" : `: ${describeCause(failure)}`;
    throw new LandfallError("serial.unplugged", `${port.name} went away${why}`, { cause: failure });
  }

  #tellDown(error: unknown): void {
    if (this.#told) return;
    this.#told = true;
    const { port, onDown } = this.#options;
    const known = isLandfallError(error);
    onDown(known ? error : new LandfallError("serial.port-failed", `could not open ${port.name}`, { cause: error }));
  }
}
