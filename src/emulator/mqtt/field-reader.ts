const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Thrown inside the decoder only: the packet is not what MQTT 3.1.1 allows. */
export class MalformedPacket extends Error {}

/** Reads the fields of one control packet from front to back. Throws {@link MalformedPacket} when they do not fit. */
export class FieldReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    return this.bytes(1).readUInt8();
  }

  uint16(): number {
    return this.bytes(2).readUInt16BE();
  }

  /** A packet identifier, which is never 0. [MQTT-2.3.1-1] */
  packetId(): number {
    const id = this.uint16();
    if (id === 0) throw new MalformedPacket("packet identifier 0");
    return id;
  }

  bytes(count: number): Buffer {
    if (count > this.left) throw new MalformedPacket("a field reaches beyond the end of the packet");
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  /** Bytes with a length of two bytes in front. */
  binary(): Buffer {
    return this.bytes(this.uint16());
  }

  /** UTF-8 text with a length in front; neither broken UTF-8 nor U+0000 is allowed. [MQTT-1.5.3-1] [MQTT-1.5.3-2] */
  text(): string {
    let text: string;
    try {
      text = utf8.decode(this.binary());
    } catch (error) {
      if (error instanceof MalformedPacket) throw error;
      throw new MalformedPacket("text that is not UTF-8", { cause: error });
    }
    if (text.includes("\0")) throw new MalformedPacket("text with a null character");
    return text;
  }

  rest(): Buffer {
    return this.bytes(this.left);
  }

  end(): void {
    if (this.left > 0) throw new MalformedPacket(`${this.left} bytes after the end of the packet`);
  }
}
