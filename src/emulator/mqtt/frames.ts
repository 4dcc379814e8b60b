/** One control packet, its fixed header already read. */
export interface Frame {
  /** Packet type, 0 to 15. */
  readonly type: number;
  /** Lower four bits of the first byte. */
  readonly flags: number;
  /** Everything after the fixed header. */
  readonly body: Buffer;
}

/** Why a byte stream is no MQTT, or more than this server takes. */
export type FrameFault = { readonly kind: "malformed" } | { readonly kind: "too-large"; readonly bytes: number };

/**
 * Cuts a byte stream into control packets. It never holds more than `maxBodyBytes` and one chunk: a packet that
 * announces more is a fault as soon as its length is known.
 */
export class FrameReader {
  readonly #maxBodyBytes: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #needed = 2;

  constructor(maxBodyBytes: number) {
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** Takes the next bytes and yields every packet that is complete; after a fault nothing more may be pushed. */
  *push(chunk: Buffer): Generator<Frame | FrameFault> {
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    // Joined only when a packet can be complete: a large message in small chunks is not copied over and over.
    if (this.#pendingBytes < this.#needed) return;
    let bytes = Buffer.concat(this.#pending, this.#pendingBytes);
    for (;;) {
      const header = readHeader(bytes);
      if (header === "incomplete") break;
      if (header === "malformed") {
        yield { kind: "malformed" };
        return;
      }
      if (header.bodyBytes > this.#maxBodyBytes) {
        yield { kind: "too-large", bytes: header.bodyBytes };
        return;
      }
      const end = header.headerBytes + header.bodyBytes;
      if (bytes.length < end) {
        this.#keep(bytes, end);
        return;
      }
      yield { type: header.type, flags: header.flags, body: bytes.subarray(header.headerBytes, end) };
      bytes = bytes.subarray(end);
    }
    this.#keep(bytes, bytes.length + 1);
  }

  #keep(bytes: Buffer, needed: number): void {
    this.#pending = bytes.length === 0 ? [] : [bytes];
    this.#pendingBytes = bytes.length;
    this.#needed = needed;
  }
}

interface Header {
  readonly type: number;
  readonly flags: number;
  readonly headerBytes: number;
  readonly bodyBytes: number;
}

function readHeader(bytes: Buffer): Header | "incomplete" | "malformed" {
  const first = bytes[0];
  if (first === undefined) return "incomplete";
  let bodyBytes = 0;
  for (let index = 1; index <= 4; index++) {
    const byte = bytes[index];
    if (byte === undefined) return "incomplete";
    bodyBytes += (byte & 0x7f) * 128 ** (index - 1);
    if (byte < 0x80) return { type: first >> 4, flags: first & 0x0f, headerBytes: index + 1, bodyBytes };
  }
  return "malformed"; // the length has at most four bytes [MQTT-2.2.3]
}
