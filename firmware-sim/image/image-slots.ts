import type { BoardMemory } from "../flash/board-memory.ts";
import { type Flash, flashLayout } from "../flash/flash.ts";
import { type ImageFault, imageFault } from "./image-fault.ts";
import { readStoredImage, type StoredImage } from "./stored-image.ts";

/** What the bootloader does at the next start. */
export type NextStart = "as before" | "test" | "permanent" | "revert";

/** What the bootloader did: `refused` is an image that was to be started and is not sound. */
export type StartedSlot = "as before" | "changed" | "reverted" | "refused";

/**
 * The two slots of MCUboot. Slot 0 runs; slot 1 takes uploads, and holds the image to fall back to while slot 0 is on
 * trial. Which bank of the flash is slot 0 stands in the record, so that images change places in one write: a power
 * cut finds them in the old order or the new.
 */
export class ImageSlots {
  readonly #flash: Flash;
  readonly #memory: BoardMemory;

  constructor(flash: Flash, memory: BoardMemory) {
    this.#flash = flash;
    this.#memory = memory;
  }

  get next(): NextStart {
    const { requested, onTrial } = this.#memory.content;
    if (requested !== "none") return requested;
    return onTrial ? "revert" : "as before";
  }

  /** The image in a slot, or why there is none. */
  image(slot: 0 | 1): StoredImage | ImageFault {
    return readStoredImage(this.#flash.read(this.#offset(slot), flashLayout.longestImageBytes));
  }

  /** Whether slot 1 may be erased: not while the next start needs what is in it. */
  get isFree(): boolean {
    return this.next === "as before";
  }

  erase(slot: 0 | 1): void {
    this.#flash.erase(this.#offset(slot), flashLayout.bankBytes);
  }

  write(slot: 0 | 1, offset: number, bytes: Uint8Array): void {
    this.#flash.write(this.#offset(slot) + offset, bytes);
  }

  /** The first bytes of a slot. */
  read(slot: 0 | 1, length: number): Buffer {
    return this.#flash.read(this.#offset(slot), length);
  }

  /** Has the next start run slot 1: on trial, or for good. */
  request(permanent: boolean): ImageFault | undefined {
    if (this.next === "revert" || (this.next === "permanent" && !permanent)) return imageFault.alreadyPending;
    const image = this.image(1);
    if (typeof image === "number") return image;
    if (!image.sound) return imageFault.badHash;
    this.#memory.change({ requested: permanent ? "permanent" : "test" });
    return undefined;
  }

  /** Keeps what runs. */
  confirm(): void {
    if (this.#memory.content.onTrial) this.#memory.change({ onTrial: false });
  }

  /** The bootloader's part: changes the images' places where the next start wants it. Says what it did. */
  startOver(): StartedSlot {
    const { next } = this;
    if (next === "as before") return next;
    const image = this.image(1);
    if (typeof image === "number" || !image.sound) {
      // What cannot run is not kept, as with MCUboot: it would be refused again at every start.
      this.#memory.change({ requested: "none", onTrial: false });
      this.erase(1);
      return "refused";
    }
    const activeBank = this.#memory.content.activeBank === 0 ? 1 : 0;
    this.#memory.change({ activeBank, requested: "none", onTrial: next === "test" });
    return next === "revert" ? "reverted" : "changed";
  }

  #offset(slot: 0 | 1): number {
    return (this.#memory.content.activeBank === slot ? 0 : 1) * flashLayout.bankBytes;
  }
}
