import { Duplex } from "node:stream";
import { type Clock, systemClock } from "../clock.ts";
import { type Deferred, deferred } from "../deferred.ts";

/** What goes wrong on a {@link FaultyLink}, each as a probability per byte, 0 to 1. Default 0. */
export interface LinkFaults {
  /** One bit of the byte is turned. */
  readonly corruption?: number;
  /** The byte never arrives. */
  readonly loss?: number;
  /** The byte arrives twice. */
  readonly duplication?: number;
}

/** Settings of a {@link FaultyLink}. */
export interface FaultyLinkOptions extends LinkFaults {
  /** Uniform random numbers in [0, 1): the same ones give the same faults for the same bytes. Default `Math.random`. */
  readonly random?: () => number;
  /** Bits per second in each direction, ten to a byte. Without it, bytes arrive at once. */
  readonly baudRate?: number;
  /** What paces the bytes. Default: the machine's own clock. */
  readonly clock?: Clock;
  /** Most bytes that arrive in one piece; pieces are cut at random below that. Default 64. */
  readonly pieceBytes?: number;
  /** The link stalls once so many bytes went in, both directions together. */
  readonly stallAfterBytes?: number;
  /** The link breaks once so many bytes went in, both directions together. */
  readonly hangUpAfterBytes?: number;
}

/**
 * A serial line in memory with two ends, as good or bad as a test wants it. To put it between two streams, pipe each of
 * them into one end and back: `port.pipe(link.near).pipe(port)`.
 */
export class FaultyLink {
  /** The end of the one who opened the port. */
  readonly near: Duplex;
  /** The end of the device. */
  readonly far: Duplex;
  readonly #options: FaultyLinkOptions;
  #faults: LinkFaults;
  #carriedBytes = 0;
  #damagedBytes = 0;
  #stalled: Deferred<void> | undefined;
  #stallAt: number;

  constructor(options: FaultyLinkOptions = {}) {
    this.#options = options;
    this.#faults = options;
    this.#stallAt = options.stallAfterBytes ?? Number.POSITIVE_INFINITY;
    const near = new LinkEnd((piece, deliver) => toFar(piece, deliver));
    const far = new LinkEnd((piece, deliver) => toNear(piece, deliver));
    near.peer = far;
    far.peer = near;
    const toFar = this.#lane();
    const toNear = this.#lane();
    this.near = near;
    this.far = far;
  }

  /** How many bytes went in, both directions together. */
  get carriedBytes(): number {
    return this.#carriedBytes;
  }

  /** How many of them were changed, lost or doubled. */
  get damagedBytes(): number {
    return this.#damagedBytes;
  }

  /** Changes what goes wrong from now on. */
  setFaults(faults: LinkFaults): void {
    this.#faults = faults;
  }

  /** Nothing arrives any more, in either direction, until {@link resume}; what is written waits. */
  stall(): void {
    this.#stalled ??= deferred();
  }

  /** Ends a stall. */
  resume(): void {
    const stalled = this.#stalled;
    this.#stalled = undefined;
    stalled?.resolve();
  }

  /** Breaks the link, as pulling the plug does; what is under way is lost. */
  hangUp(error: Error = new Error("the line was cut")): void {
    this.near.destroy(error);
    this.far.destroy();
    this.resume();
  }

  /** One direction: paces, damages, delivers. */
  #lane(): Carry {
    const { baudRate, clock = systemClock, random = Math.random, pieceBytes = 64, hangUpAfterBytes } = this.#options;
    let freeAtMs = 0;
    return async (bytes, deliver) => {
      for (let from = 0; from < bytes.length; ) {
        const piece = bytes.subarray(from, from + 1 + Math.floor(random() * pieceBytes));
        from += piece.length;
        if (baudRate !== undefined) {
          // From the end of the piece before, not from now: a clock that wakes late must not slow the line down.
          freeAtMs = Math.max(freeAtMs, clock.elapsed()) + (piece.length * 10_000) / baudRate;
          await clock.sleep(freeAtMs - clock.elapsed());
        }
        this.#carriedBytes += piece.length;
        if (this.#carriedBytes >= (hangUpAfterBytes ?? Number.POSITIVE_INFINITY)) return this.hangUp();
        if (this.#carriedBytes >= this.#stallAt) {
          this.#stallAt = Number.POSITIVE_INFINITY;
          this.stall();
        }
        while (this.#stalled) await this.#stalled.promise;
        deliver(this.#damage(piece, random));
      }
    };
  }

  #damage(piece: Uint8Array, random: () => number): Uint8Array {
    const { corruption = 0, loss = 0, duplication = 0 } = this.#faults;
    if (corruption + loss + duplication === 0) return piece;
    const arrived: number[] = [];
    for (const byte of piece) {
      const draw = random();
      if (draw < loss) this.#damagedBytes += 1;
      else if (draw < loss + corruption) {
        this.#damagedBytes += 1;
        arrived.push(byte ^ (1 << Math.floor(random() * 8)));
      } else if (draw < loss + corruption + duplication) {
        this.#damagedBytes += 1;
        arrived.push(byte, byte);
      } else arrived.push(byte);
    }
    return Uint8Array.from(arrived);
  }
}

type Carry = (bytes: Uint8Array, deliver: (piece: Uint8Array) => void) => Promise<void>;

/** One end: what is written to it comes out of its peer, and an end that closes closes the other. */
class LinkEnd extends Duplex {
  peer: LinkEnd | undefined;
  readonly #carry: Carry;

  constructor(carry: Carry) {
    super({ allowHalfOpen: false });
    this.#carry = carry;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const deliver = (piece: Uint8Array): void => {
      if (piece.length > 0 && this.peer?.destroyed === false && !this.peer.readableEnded) this.peer.push(piece);
    };
    this.#carry(chunk, deliver).then(done, done);
  }

  override _final(done: () => void): void {
    this.peer?.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { peer } = this;
    setImmediate(() => peer?.destroy());
    done(error);
  }
}
