import { BoardMemory, type MadeBoard } from "../flash/board-memory.ts";
import type { Flash } from "../flash/flash.ts";
import { writeFactoryImage } from "./factory-image.ts";
import { ImageSlots, type StartedSlot } from "./image-slots.ts";
import type { StoredImage } from "./stored-image.ts";

/** What the bootloader hands to the image that it starts. */
export interface BootedBoard {
  readonly memory: BoardMemory;
  readonly slots: ImageSlots;
  /** What it did with the images. */
  readonly did: StartedSlot;
  /** What it starts; undefined when nothing in flash can be started. */
  readonly image: StoredImage | undefined;
}

/**
 * What happens between reset and the image's first instruction. Flash that was never used becomes a board's.
 * @param make draws what a board is given when it is made
 */
export function bootFrom(flash: Flash, make: () => MadeBoard): BootedBoard {
  const memory = new BoardMemory(flash, make);
  const slots = new ImageSlots(flash, memory);
  // Until the first start is on record, the board is still in the factory.
  if (memory.content.starts === 0) writeFactoryImage(slots);
  const did = slots.startOver();
  memory.change({ starts: memory.content.starts + 1 });
  const image = slots.image(0);
  return { memory, slots, did, image: typeof image === "object" && image.sound ? image : undefined };
}
