import { LandfallError } from "../../errors.ts";

/**
 * Reads structures of TPM 2.0, all big-endian, out of bytes that somebody else made. It never reads beyond the end, and
 * what it hands out are copies.
 */
export class TpmReader {
  readonly #bytes: Buffer;
  readonly #what: string;
  #position = 0;

  /** @param what the bytes, for messages: "the response to TPM2_Load" */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = Buffer.from(bytes);
    this.#what = what;
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#bytes.length - this.#position;
  }

  uint8(): number {
    return this.#take(1).readUInt8();
  }

  uint16(): number {
    return this.#take(2).readUInt16BE();
  }

  uint32(): number {
    return this.#take(4).readUInt32BE();
  }

  bytes(length: number): Buffer {
    return Buffer.from(this.#take(length));
  }

  /** The content of a structure that has its size in front (TPM2B). */
  sized(): Buffer {
    return this.bytes(this.uint16());
  }

  /** The same with the size still in front, as the structure travels. */
  sizedWhole(): Buffer {
    const start = this.#position;
    this.#take(this.uint16());
    return Buffer.from(this.#bytes.subarray(start, this.#position));
  }

  /** A reader of the next `length` bytes. */
  part(length: number): TpmReader {
    return new TpmReader(this.#take(length), this.#what);
  }

  /** Throws `tpm.malformed-response` when something is left. */
  end(): void {
    if (this.left > 0) throw this.#malformed(`${this.left} bytes more than it should have`);
  }

  #take(length: number): Buffer {
    if (length > this.left) throw this.#malformed(`${this.left} bytes where ${length} should be`);
    const taken = this.#bytes.subarray(this.#position, this.#position + length);
    this.#position += length;
    return taken;
  }

  #malformed(found: string): LandfallError {
    return new LandfallError(
      "tpm.malformed-response",
      `${this.#what[0]?.toUpperCase()}${this.#what.slice(1)} has ${found}.`,
    );
  }
}
