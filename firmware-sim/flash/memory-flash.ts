import { type Flash, flashLayout } from "./flash.ts";

/** Flash in memory: lasts as long as the object. */
export class MemoryFlash implements Flash {
  readonly #bytes: Buffer;

  constructor(size: number = flashLayout.size) {
    this.#bytes = Buffer.alloc(size, 0xff);
  }

  get size(): number {
    return this.#bytes.length;
  }

  read(offset: number, length: number): Buffer {
    return Buffer.from(this.#bytes.subarray(offset, offset + length));
  }

  write(offset: number, bytes: Uint8Array): void {
    for (const [index, byte] of bytes.entries())
      this.#bytes[offset + index] = (this.#bytes[offset + index] ?? 0) & byte;
  }

  erase(offset: number, length: number): void {
    this.#bytes.fill(0xff, offset, offset + length);
  }
}
