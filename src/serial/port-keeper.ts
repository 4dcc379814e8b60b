import type { Duplex } from "node:stream";
import { untilAborted } from "../abort.ts";
import { Backoff } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import { type Deferred, deferred } from "../deferred.ts";
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
  #stream: Duplex | undefined;
  #opened: Deferred<void> = deferred();
  #lastFailure: LandfallError | undefined;
  #told = false;

  constructor(options: PortKeeperOptions) {
    this.#options = options;
    this.#backoff = new Backoff({ ...patience, random: options.random });
    void this.#keep();
  }

  /** The port while it is open. */
  get stream(): Duplex | undefined {
    return this.#stream;
  }

  /** Why the port is away; undefined while it is open, and before it has failed once. */
  get lastFailure(): LandfallError | undefined {
    return this.#lastFailure;
  }

  /** Aborts with `serial.closed` when the keeper is closed. */
  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  /** Resolves while the port is open, or once it is. Rejects with `serial.closed`. */
  async opened(signal?: AbortSignal): Promise<void> {
    while (this.#stream === undefined) {
      this.closed.throwIfAborted();
      await untilAborted(untilAborted(this.#opened.promise, this.closed), signal);
    }
  }

  /** Lets go of the port and stops trying. Neither callback is called any more. */
  async close(): Promise<void> {
    if (this.closed.aborted) return;
    const stream = this.#stream;
    this.#stream = undefined;
    this.#closing.abort(new LandfallError("serial.closed", `the link over ${this.#options.port.name} was closed`));
    if (stream === undefined || stream.closed) return;
    const gone = new Promise<void>((resolve) => stream.once("close", () => resolve()));
    stream.destroy();
    await gone;
  }

  async #keep(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#session(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#down(error);
      }
      await this.#options.clock.sleep(this.#backoff.next(), { signal }).catch(() => {});
    }
  }

  async #session(signal: AbortSignal): Promise<void> {
    const { port, clock } = this.#options;
    const stream = await port.open({ signal });
    const closed = deferred<void>();
    let failure: Error | undefined;
    stream.once("error", (error) => {
      failure = error;
    });
    stream.once("end", () => stream.destroy());
    stream.once("close", () => closed.resolve());
    const openedAt = clock.elapsed();
    this.#up(stream);
    try {
      await untilAborted(closed.promise, signal);
    } finally {
      stream.destroy();
    }
    if (clock.elapsed() - openedAt >= steadyAfterMs) this.#backoff.reset();
    const why = failure === undefined ? "" : `: ${describeCause(failure)}`;
    throw new LandfallError("serial.unplugged", `${port.name} went away${why}`, { cause: failure });
  }

  #up(stream: Duplex): void {
    this.#stream = stream;
    this.#lastFailure = undefined;
    this.#told = false;
    this.#opened.resolve();
    this.#options.onUp(stream);
  }

  #down(error: unknown): void {
    const { port, onDown } = this.#options;
    const failure = isLandfallError(error)
      ? error
      : new LandfallError("serial.port-failed", `could not open ${port.name}`, { cause: error });
    if (this.#stream !== undefined) this.#opened = deferred();
    this.#stream = undefined;
    if (this.#told) return;
    this.#told = true;
    this.#lastFailure = failure;
    onDown(failure);
  }
}
