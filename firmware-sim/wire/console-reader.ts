import { crc16 } from "./crc16.ts";

/** What a {@link ConsoleReader} tells. */
export interface ConsoleSink {
  /** A packet whose CRC is right. */
  readonly onPacket: (packet: Buffer) => void;
  /** Something with a marker that was no packet, or a piece of none; it is dropped. */
  readonly onDropped: () => void;
}

/** No piece on one line is longer. */
const longestPiece = 4096;

type State = "text" | "after 06" | "after 04" | "piece";

/**
 * Finds packets on a console, byte by byte as an interrupt brings them:
 *
 *   text ── 06 09 ──▶ piece of a first line ──┐ line end, or the next marker:
 *     ▲ ─── 04 14 ──▶ piece of a further line ┤ decode, append, complete?
 *     └────────────────────────────────────────┘
 */
export class ConsoleReader {
  readonly #sink: ConsoleSink;
  readonly #capacity: number;
  #state: State = "text";
  #characters = "";
  /** Length, packet and CRC so far; undefined while no packet has begun. */
  #buffer: Buffer | undefined;
  #starts = false;

  /** @param capacity bytes of the buffer that length, packet and CRC share; what is longer is dropped */
  constructor(capacity: number, sink: ConsoleSink) {
    this.#capacity = capacity;
    this.#sink = sink;
  }

  /** Takes what came in. */
  take(chunk: Uint8Array): void {
    for (const byte of chunk) this.#takeByte(byte);
  }

  #takeByte(byte: number): void {
    if (this.#state === "after 06" && byte === 0x09) this.#openPiece(true);
    else if (this.#state === "after 04" && byte === 0x14) this.#openPiece(false);
    else if (byte === 0x06 || byte === 0x04) {
      // Base64 holds no such byte: the line end before it was lost.
      this.#closePiece();
      this.#state = byte === 0x06 ? "after 06" : "after 04";
    } else if (this.#state !== "piece") this.#state = "text";
    else if (byte === 0x0a) this.#closePiece();
    else if (this.#characters.length < longestPiece) this.#characters += String.fromCharCode(byte);
  }

  #openPiece(starts: boolean): void {
    this.#state = "piece";
    this.#starts = starts;
    this.#characters = "";
  }

  #closePiece(): void {
    if (this.#state !== "piece") return;
    this.#state = "text";
    const piece = fromBase64(this.#characters.replace(/\r$/, ""));
    const before = this.#starts ? Buffer.alloc(0) : this.#buffer;
    if (piece === undefined || before === undefined) {
      this.#sink.onDropped();
      return;
    }
    this.#buffer = Buffer.concat([before, piece]);
    this.#complete(this.#buffer);
  }

  #complete(buffer: Buffer): void {
    if (buffer.length < 2) return;
    const length = 2 + buffer.readUInt16BE(0);
    if (buffer.length < length && length <= this.#capacity) return;
    this.#buffer = undefined;
    const packet = buffer.subarray(2, length - 2);
    const right = buffer.length === length && length <= this.#capacity && crc16(buffer.subarray(2)) === 0;
    // A header is the least that a packet has.
    if (right && packet.length >= 8) this.#sink.onPacket(packet);
    else this.#sink.onDropped();
  }
}

function fromBase64(text: string): Buffer | undefined {
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text) && text !== ""
    ? Buffer.from(text, "base64")
    : undefined;
}
