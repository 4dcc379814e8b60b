import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { LandfallError } from "../../src/errors.ts";
import { type Flash, flashLayout } from "./flash.ts";

/**
 * Flash in a file of {@link flashLayout}'s size, which is made when it is missing. Every write is in the file when the
 * call returns, so that killing the process is a power cut of the MCU.
 */
export class FileFlash implements Flash {
  readonly size = flashLayout.size;
  readonly #descriptor: number;

  /** Throws `simulator.rejected` when the file cannot be used, or has another size. */
  static open(path: string): FileFlash {
    let descriptor: number;
    try {
      descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    } catch (cause) {
      throw new LandfallError("simulator.rejected", `the flash file ${path} cannot be opened`, { cause });
    }
    const { size } = fstatSync(descriptor);
    if (size !== 0 && size !== flashLayout.size) {
      closeSync(descriptor);
      const message = `${path} is no flash of a simulated MCU: expected ${flashLayout.size} bytes, got ${size}`;
      throw new LandfallError("simulator.rejected", message);
    }
    const flash = new FileFlash(descriptor);
    if (size === 0) flash.erase(0, flash.size);
    return flash;
  }

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  read(offset: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    readSync(this.#descriptor, bytes, 0, length, offset);
    return bytes;
  }

  write(offset: number, bytes: Uint8Array): void {
    const held = this.read(offset, bytes.length);
    for (const [index, byte] of bytes.entries()) held[index] = (held[index] ?? 0) & byte;
    writeSync(this.#descriptor, held, 0, held.length, offset);
  }

  erase(offset: number, length: number): void {
    writeSync(this.#descriptor, Buffer.alloc(length, 0xff), 0, length, offset);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
