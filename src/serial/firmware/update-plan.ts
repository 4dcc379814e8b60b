import { LandfallError } from "../../errors.ts";
import type { ImageSlot } from "../groups/image-group.ts";
import { type FirmwareImage, imageVersionText } from "./image-file.ts";
import { compareImageVersions, parseImageVersion } from "./image-version.ts";

/** What is known of an MCU before an update. */
export interface UpdateGround {
  readonly slots: readonly ImageSlot[];
  /** The board's own name for itself; absent when the firmware does not tell. */
  readonly board: string | undefined;
}

/** Where an update begins: at the upload, or further on when a former one got there. */
export type UpdateStart = "nothing-to-do" | "check" | "reset" | "mark" | "upload";

/**
 * Where the update to an image begins on this MCU. Throws `firmware.wrong-board`, `firmware.downgrade`, and
 * `firmware.no-room` while the other slot holds what the MCU would go back to.
 */
export function planUpdate(
  image: FirmwareImage,
  { slots, board }: UpdateGround,
  { allowDowngrade = false }: { readonly allowDowngrade?: boolean } = {},
): UpdateStart {
  if (image.board !== undefined && board !== undefined && image.board !== board) {
    throw new LandfallError("firmware.wrong-board", `the image is for the board ${image.board}, the MCU is ${board}`);
  }
  const running = activeSlot(slots);
  if (running && isImage(running, image)) return running.confirmed ? "nothing-to-do" : "check";
  if (running && !running.confirmed) {
    const what = `the MCU tries out ${running.version}, and the other slot holds what it would go back to`;
    throw new LandfallError("firmware.no-room", what);
  }
  if (running && !allowDowngrade) refuseDowngrade(image, running);
  const waiting = slots.find((slot) => !slot.active && isImage(slot, image));
  if (waiting === undefined) return "upload";
  return waiting.pending ? "reset" : "mark";
}

/** The slot that runs, of the first image. */
export function activeSlot(slots: readonly ImageSlot[]): ImageSlot | undefined {
  return slots.find(({ image, active }) => image === 0 && active);
}

/** Whether a slot holds that image. */
export function isImage(slot: ImageSlot, { hash }: Pick<FirmwareImage, "hash">): boolean {
  return slot.image === 0 && slot.hash !== undefined && Buffer.from(slot.hash).equals(hash);
}

function refuseDowngrade(image: FirmwareImage, running: ImageSlot): void {
  const current = parseImageVersion(running.version);
  if (current === undefined || compareImageVersions(image.version, current) >= 0) return;
  const versions = `the image is ${imageVersionText(image)}, the MCU runs ${running.version}`;
  throw new LandfallError("firmware.downgrade", versions);
}
