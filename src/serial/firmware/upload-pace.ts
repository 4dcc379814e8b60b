import { framedBytes } from "../console-frames.ts";

/**
 * How long an answer is waited for at first, in milliseconds. The first piece may have the MCU erase its flash for seconds:
 * it is said again meanwhile, which does no harm, while a longer wait would cost more wherever the piece was lost.
 */
const firstTimeoutMs = 1_000;
const timeouts = { leastMs: 80, mostMs: 8_000 };

/** A wait is doubled so often at most: on a line that loses much, waiting does not help. */
const mostDoublings = 3;

/**
 * A packet is not made smaller than this, in bytes: the answer and the wait for it cost as much by then, and the first
 * piece has to hold the image's header of 32 bytes beside the 41 bytes and more that tell what it begins.
 */
const smallestPacketBytes = 128;

/** Answers in a row after which a packet is made longer again. */
const steadyAfter = 12;

/** An answer to a piece takes about so many bytes of line. */
const answerLineBytes = 35;

/**
 * How long the packets of an upload are, and how long their answers are waited for: pure arithmetic over what was seen.
 * A line that loses bytes loses long packets more often; a wait that is too long costs more than a packet.
 */
export class UploadPace {
  readonly #largestBytes: number;
  #packetBytes: number;
  #smoothedMs: number | undefined;
  #deviationMs = 0;
  #doublings = 0;
  #answeredInRow = 0;

  /** @param limitBytes longest packet that the MCU takes */
  constructor(limitBytes: number) {
    this.#largestBytes = bestPacketBytes(limitBytes);
    this.#packetBytes = this.#largestBytes;
  }

  /** Bytes of the next packet at most. */
  get packetBytes(): number {
    return this.#packetBytes;
  }

  /** Milliseconds to wait for the next answer. */
  get timeoutMs(): number {
    const usual =
      this.#smoothedMs === undefined
        ? firstTimeoutMs
        : this.#smoothedMs + Math.max(4 * this.#deviationMs, this.#smoothedMs / 2, 20);
    return Math.min(timeouts.mostMs, Math.max(timeouts.leastMs, usual) * 2 ** this.#doublings);
  }

  /** An answer came after `tookMs`; `usual` unless the MCU had special work with the piece, as it has with the first. */
  answered(tookMs: number, usual: boolean): void {
    this.#doublings = 0;
    this.#answeredInRow += 1;
    if (usual) this.#learn(tookMs);
    if (this.#answeredInRow % steadyAfter === 0 && this.#packetBytes < this.#largestBytes) {
      this.#packetBytes = bestPacketBytes(Math.min(this.#largestBytes, this.#packetBytes + 93));
    }
  }

  /** No answer came. */
  timedOut(): void {
    this.#answeredInRow = 0;
    // One loss happens; the second in a row is the line's, or the MCU's, and both want less.
    if (this.#doublings > 0) {
      this.#packetBytes = Math.min(this.#packetBytes, Math.max(smallestPacketBytes, Math.floor(this.#packetBytes / 2)));
    }
    this.#doublings = Math.min(this.#doublings + 1, mostDoublings);
  }

  /** Smoothed time and deviation as TCP keeps them (RFC 6298). */
  #learn(tookMs: number): void {
    if (this.#smoothedMs === undefined) {
      this.#smoothedMs = tookMs;
      this.#deviationMs = tookMs / 2;
      return;
    }
    this.#deviationMs += (Math.abs(tookMs - this.#smoothedMs) - this.#deviationMs) / 4;
    this.#smoothedMs += (tookMs - this.#smoothedMs) / 8;
  }
}

/**
 * The packet, of those up to a limit, that carries most for the line it takes: one byte beyond a full frame costs a frame
 * of its own.
 */
export function bestPacketBytes(limitBytes: number): number {
  /** Header and the map around the data. */
  const overheadBytes = 26;
  const worth = (bytes: number): number => (bytes - overheadBytes) / (framedBytes(bytes) + answerLineBytes);
  let best = limitBytes;
  for (let bytes = limitBytes - 1; bytes > limitBytes - 93 && bytes > overheadBytes; bytes--) {
    if (worth(bytes) > worth(best)) best = bytes;
  }
  return best;
}
