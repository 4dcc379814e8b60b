import { AnswerTimes } from "../answer-times.ts";
import { framedBytes, fullPieceBytes, packetOverheadBytes } from "../console-frames.ts";
import { LineLosses } from "./line-losses.ts";

/**
 * How long an answer is waited for at first, in milliseconds. The first piece may have the MCU erase its flash for seconds:
 * it is said again meanwhile, which does no harm, while a longer wait would cost more wherever the piece was lost.
 */
const firstTimeoutMs = 1_000;
const timeouts = { leastMs: 30, mostMs: 8_000 };

/**
 * What an answer may be later than usual before its piece is sent again, in milliseconds. Too little costs a piece whenever
 * the MCU takes longer for one, too much whenever one is lost: that is seldom on a good line, and often on a bad one.
 */
const margins = { goodLineMs: 40, badLineMs: 5 };

/** A line that spoils more than this share of its bytes is a bad one. */
const badShare = 0.0002;

/** A wait is doubled so often at most. */
const mostDoublings = 3;

/** Losses in a row that are less probable than this on a line are not the line's, but an MCU's that does something else. */
const improbable = 0.02;

/** At least so many losses in a row tell of the line, and never more than those. */
const tellingLosses = { least: 3, most: 8 };

/**
 * A packet is not made smaller than this, in bytes: the answer and the wait for it cost as much by then, and the first
 * piece has to hold the image's header of 32 bytes beside the 41 bytes and more that tell what it begins.
 */
const smallestPacketBytes = 128;

/** An answer to a piece takes about so many bytes of line. */
const answerLineBytes = 35;

/** A piece to be sent, header and all. */
export interface PiecePlan {
  /** It is the first of the image. */
  readonly isFirst: boolean;
  /** Longest packet. */
  readonly packetBytes: number;
  /** How long to wait for its answer. */
  readonly timeoutMs: number;
}

/**
 * How long the packets of an upload are, and how long their answers are waited for: pure arithmetic over what was seen.
 * A line that spoils bytes spoils long packets more often; a wait that is too long costs more than a packet.
 */
export class UploadPace {
  readonly #limitBytes: number;
  readonly #losses = new LineLosses();
  readonly #times = new AnswerTimes();
  /** Of the first piece, before there are others: answers take that long at most. */
  readonly #firstTimes = new AnswerTimes();
  #lossesInRow = 0;

  /** @param limitBytes longest packet that the MCU takes */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** What the next piece is to be like. The first one is short: it is not known how soon it can be missed. */
  next(isFirst: boolean): PiecePlan {
    const packetBytes = isFirst
      ? Math.min(this.#limitBytes, smallestPacketBytes)
      : bestPacketBytes(this.#limitBytes, this.#losses.share);
    const usualMs = isFirst ? firstTimeoutMs : this.#lateAfterMs(lineBytes(packetBytes));
    // While it may be the line, waiting does not help.
    const unexplained = Math.max(0, this.#lossesInRow - this.#explainedLosses(lineBytes(packetBytes)));
    const doublings = Math.min(mostDoublings, unexplained);
    return { isFirst, packetBytes, timeoutMs: Math.min(timeouts.mostMs, usualMs * 2 ** doublings) };
  }

  /** A piece was answered after `tookMs`. */
  answered({ isFirst, packetBytes }: PiecePlan, tookMs: number): void {
    this.#lossesInRow = 0;
    this.#losses.passed(lineBytes(packetBytes));
    (isFirst ? this.#firstTimes : this.#times).learn(tookMs, lineBytes(packetBytes));
  }

  /** A piece got no answer, or none that could be read. */
  lost({ packetBytes }: PiecePlan): void {
    this.#lossesInRow += 1;
    const telling = Math.max(tellingLosses.least, this.#explainedLosses(lineBytes(packetBytes)));
    if (this.#lossesInRow <= telling) this.#losses.failed(lineBytes(packetBytes));
  }

  /** How many losses in a row the line explains, 1 at least. */
  #explainedLosses(bytes: number): number {
    const loss = 1 - (1 - this.#losses.share) ** bytes;
    return Math.min(tellingLosses.most, Math.max(1, Math.floor(Math.log(improbable) / Math.log(loss))));
  }

  #lateAfterMs(bytes: number): number {
    const marginMs = this.#losses.share > badShare ? margins.badLineMs : margins.goodLineMs;
    const seenMs = this.#times.lateAfterMs(bytes, marginMs);
    if (seenMs !== undefined) return Math.max(timeouts.leastMs, seenMs);
    return Math.min(firstTimeoutMs, this.#firstTimes.lateAfterMs(bytes, margins.goodLineMs) ?? firstTimeoutMs);
  }
}

/** Header of a packet and the map around the data, in bytes. */
const overheadBytes = 26;

/**
 * The packet, of those up to a limit, that carries most for the line it takes, where each byte of the line is spoilt with a
 * probability of `spoiltShare`, and the piece with it. One byte beyond a full frame costs a frame of its own.
 */
export function bestPacketBytes(limitBytes: number, spoiltShare = 0): number {
  const worth = (bytes: number): number => {
    const line = lineBytes(bytes);
    return ((bytes - overheadBytes) / line) * (1 - spoiltShare) ** line;
  };
  let best = limitBytes;
  const consider = (bytes: number): void => {
    if (bytes > overheadBytes && worth(bytes) > worth(best)) best = bytes;
  };
  for (let bytes = limitBytes - 1; bytes > limitBytes - fullPieceBytes; bytes--) consider(bytes);
  if (spoiltShare === 0) return best;
  for (let whole = 2 * fullPieceBytes; whole - packetOverheadBytes < limitBytes; whole += fullPieceBytes) {
    consider(whole - packetOverheadBytes);
  }
  if (smallestPacketBytes < limitBytes) consider(smallestPacketBytes);
  return best;
}

/** Bytes of line that a packet and its answer take. */
function lineBytes(packetBytes: number): number {
  return framedBytes(packetBytes) + answerLineBytes;
}
