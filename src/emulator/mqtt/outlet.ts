import type { Duplex } from "node:stream";

/** Bytes that may wait to be read by the client before it is given up. */
const maxUnreadBytes = 4 * 1024 * 1024;

/** The way out of a connection: packets go whole, but for one that was chosen to be the last. */
export class Outlet {
  readonly #stream: Duplex;
  readonly #onLast: (bytes: number) => void;
  #lastBytes: number | undefined;
  #isDoomed = false;

  /** @param onLast called when the last bytes have gone out, with their number */
  constructor(stream: Duplex, onLast: (bytes: number) => void) {
    this.#stream = stream;
    this.#onLast = onLast;
  }

  /** The last bytes are on their way; nothing follows them. */
  get isDoomed(): boolean {
    return this.#isDoomed;
  }

  /** More waits for the client to read than a client may leave unread. */
  get isClogged(): boolean {
    return this.#stream.writableLength > maxUnreadBytes;
  }

  /** Makes the next packet the last, and lets only its first `bytes` bytes out. */
  cutNext(bytes: number): void {
    this.#lastBytes = bytes;
  }

  write(packet: Buffer): void {
    if (this.#isDoomed || !this.#stream.writable) return;
    if (this.#lastBytes === undefined) this.#stream.write(packet);
    else this.#writeLast(packet.subarray(0, this.#lastBytes));
  }

  #writeLast(bytes: Buffer): void {
    this.#isDoomed = true;
    const gone = (): void => this.#onLast(bytes.length);
    // Nothing at all may go out then, not even an empty frame of WebSocket.
    if (bytes.length === 0) gone();
    else this.#stream.write(bytes, gone);
  }
}
