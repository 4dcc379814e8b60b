import type { ImageSlots } from "./image-slots.ts";
import { makeMcuImage } from "./make-image.ts";

/** What a board runs when it leaves the factory. */
export const factoryVersion = "1.0.0";

/** Puts the factory's image into slot 0 of a board that is being made. */
export function writeFactoryImage(slots: ImageSlots): void {
  const image = slots.image(0);
  if (typeof image === "object" && image.sound) return;
  slots.erase(0);
  slots.write(0, 0, makeMcuImage({ version: factoryVersion, codeBytes: 256 }));
}
