/** Thrown while a structure is read, and only there: it is not the one that is wanted. */
export class MalformedStructure extends Error {
  readonly expected: string;
  readonly found: string;

  constructor(expected: string, found: string) {
    super(`expected ${expected}, found ${found}`);
    this.expected = expected;
    this.found = found;
  }
}

/** Reads the fields of one TPM structure from front to back, big-endian, and never beyond its end. */
export class StructureReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  uint16(): number {
    return this.#take(2).readUInt16BE();
  }

  uint32(): number {
    return this.#take(4).readUInt32BE();
  }

  /** Bytes with a size of two bytes in front, which is how the structures named `TPM2B_…` are written. */
  sized(): Buffer {
    return this.#take(this.uint16());
  }

  /** Has to be called last. */
  end(): void {
    const left = this.#bytes.length - this.#at;
    if (left > 0) throw new MalformedStructure("the end", `${left} bytes more`);
  }

  #take(count: number): Buffer {
    const left = this.#bytes.length - this.#at;
    if (count > left) throw new MalformedStructure(`${count} bytes more`, `the end after ${left}`);
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }
}
