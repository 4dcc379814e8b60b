import { firstMarker, lineEnd, nextMarker } from "./console-frames.ts";
import { crc16 } from "./crc16.ts";
import { headerBytes } from "./smp-packet.ts";

/** What a {@link FrameReader} finds in a stream. */
export interface FrameSink {
  /** A whole packet whose CRC is right. */
  onPacket(packet: Uint8Array): void;
  /** Something else that was on the line: text, without its line end; empty lines are passed over. */
  onText?(line: string): void;
  /** Something had to be dropped, as counted in {@link FrameDamage}. */
  onDamage?(): void;
}

/** Settings of a {@link FrameReader}. */
export interface FrameReaderOptions {
  /** Longest packet that is put together, in bytes; a longer one is dropped. Default 8192. */
  readonly maxPacketBytes?: number;
  /** Longest line that is kept; of a longer one the beginning is dropped. Default 4096. */
  readonly maxLineBytes?: number;
}

/** How often a {@link FrameReader} found something that it had to drop, since it was made. */
export interface FrameDamage {
  /** Packets whose CRC was wrong, that were longer than they said, or shorter than a header. */
  readonly packets: number;
  /** Lines with a marker that were not base64, or continued nothing. */
  readonly lines: number;
}

/**
 * Finds packets among the log lines of a console, however the stream is cut into chunks. What is damaged is dropped, and
 * the next first line begins anew: the asker's time-out does the rest. Takes long lines, and several pieces on one line,
 * for a line end that was lost should cost no more than it must.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #maxPacketBytes: number;
  readonly #maxLineBytes: number;
  #line: Buffer = Buffer.alloc(0);
  /** The pieces of the packet under way; undefined when none is. */
  #pieces: Buffer[] | undefined;
  #packets = 0;
  #lines = 0;

  constructor(sink: FrameSink, { maxPacketBytes = 8192, maxLineBytes = 4096 }: FrameReaderOptions = {}) {
    this.#sink = sink;
    this.#maxPacketBytes = maxPacketBytes;
    this.#maxLineBytes = maxLineBytes;
  }

  get damage(): FrameDamage {
    return { packets: this.#packets, lines: this.#lines };
  }

  /** Takes what came in; calls the sink for everything that it completes. */
  push(chunk: Uint8Array): void {
    let from = 0;
    for (let end = chunk.indexOf(lineEnd); end >= 0; end = chunk.indexOf(lineEnd, from)) {
      this.#keep(chunk.subarray(from, end));
      const line = this.#line;
      this.#line = Buffer.alloc(0);
      this.#readLine(line);
      from = end + 1;
    }
    this.#keep(chunk.subarray(from));
  }

  #keep(part: Uint8Array): void {
    if (part.length === 0) return;
    const line = Buffer.concat([this.#line, part]);
    this.#line = line.subarray(Math.max(0, line.length - this.#maxLineBytes));
  }

  #readLine(line: Buffer): void {
    let start = markerIn(line, 0);
    const text = line
      .subarray(0, start ?? line.length)
      .toString("utf8")
      .trimEnd();
    if (text !== "") this.#sink.onText?.(text);
    while (start !== undefined) {
      const next = markerIn(line, start + 2);
      this.#readPiece(line[start] === firstMarker[0], line.toString("latin1", start + 2, next));
      start = next;
    }
  }

  #readPiece(first: boolean, base64: string): void {
    const piece = decodeBase64(base64);
    if (piece === undefined || (!first && this.#pieces === undefined)) {
      this.#lines += 1;
      this.#sink.onDamage?.();
      return;
    }
    if (first) this.#pieces = [];
    this.#pieces?.push(piece);
    this.#complete();
  }

  #complete(): void {
    const whole = Buffer.concat(this.#pieces ?? []);
    if (whole.length < 2) return;
    const expected = 2 + whole.readUInt16BE(0);
    if (whole.length < expected && expected <= this.#maxPacketBytes + 4) return;
    this.#pieces = undefined;
    const packet = whole.subarray(2, -2);
    if (
      whole.length === expected &&
      packet.length >= headerBytes &&
      crc16(packet) === whole.readUInt16BE(expected - 2)
    ) {
      this.#sink.onPacket(packet);
    } else {
      this.#packets += 1;
      this.#sink.onDamage?.();
    }
  }
}

/** Where the next marker begins. Base64 and text hold no such bytes, so whatever follows one is a piece. */
function markerIn(line: Uint8Array, from: number): number | undefined {
  for (let at = from; at < line.length - 1; at++) {
    const [one, other] = [line[at], line[at + 1]];
    if (one === firstMarker[0] && other === firstMarker[1]) return at;
    if (one === nextMarker[0] && other === nextMarker[1]) return at;
  }
  return undefined;
}

/** The bytes of base64 to the letter; undefined for anything else, which the platform would pass over in silence. */
function decodeBase64(text: string): Buffer | undefined {
  const trimmed = text.endsWith("\r") ? text.slice(0, -1) : text;
  if (trimmed === "" || trimmed.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(trimmed)) return undefined;
  return Buffer.from(trimmed, "base64");
}
