import { flashLayout } from "../flash/flash.ts";
import { type ImageFault, imageFault } from "../image/image-fault.ts";
import { versionText } from "../image/image-format.ts";
import type { ImageSlots, NextStart } from "../image/image-slots.ts";
import type { ImagePiece, ImageUpload } from "../image/image-upload.ts";
import type { StoredImage } from "../image/stored-image.ts";
import type { Body } from "../wire/value.ts";
import type { Group } from "./group.ts";
import { Refusal, smpCode } from "./refusal.ts";
import { RequestFields } from "./request-fields.ts";

/** What the group works on. */
export interface ImageGroupParts {
  readonly slots: ImageSlots;
  readonly upload: ImageUpload;
  /** Waits as long as erasing takes. */
  readonly whileErasing: () => Promise<void>;
}

const invalid = () => Refusal.ofSmp(smpCode.invalid);
const refuse = (fault: ImageFault) => Refusal.ofGroup(fault);

/** Group 1: what lies in the two slots, and what becomes of it. */
export function imageGroup({ slots, upload, whileErasing }: ImageGroupParts): Group {
  return {
    id: 1,
    commands: {
      0: {
        read: () => slotList(slots),
        write: (request) => {
          changeState(slots, request);
          return slotList(slots);
        },
      },
      1: {
        write: async (request) => {
          const piece = pieceIn(request);
          if (upload.begins(piece) && slots.isFree) await whileErasing();
          const answer = upload.take(piece);
          if (typeof answer === "number") throw refuse(answer);
          return { ...answer };
        },
      },
      5: {
        write: async (request) => {
          const fields = new RequestFields(request, invalid);
          if (fields.has("slot") && fields.count("slot") !== 1) throw refuse(imageFault.badSlot);
          if (!slots.isFree) throw refuse(imageFault.noFreeSlot);
          await whileErasing();
          upload.forget();
          slots.erase(1);
          return {};
        },
      },
      6: { read: () => ({ images: [slotSizes()] }) },
    },
    translate,
  };
}

function changeState(slots: ImageSlots, request: Body): void {
  const fields = new RequestFields(request, invalid);
  const confirm = fields.has("confirm") && fields.flag("confirm");
  // No hash, in any spelling, means the image that runs.
  const hash = fields.has("hash") && fields.value("hash") !== null ? fields.bytes("hash", 0, 64) : new Uint8Array();
  if (hash.length !== 0 && hash.length !== 32) throw refuse(imageFault.badHash);
  if (hash.length === 0 || isOf(slots.image(0), hash)) {
    if (!confirm) throw refuse(hash.length === 0 ? imageFault.badHash : imageFault.testOfActiveDenied);
    slots.confirm();
    return;
  }
  if (!isOf(slots.image(1), hash)) throw refuse(imageFault.hashNotFound);
  const fault = slots.request(confirm);
  if (fault !== undefined) throw refuse(fault);
}

function isOf(image: StoredImage | ImageFault, hash: Uint8Array): boolean {
  return typeof image === "object" && Buffer.compare(image.hash, hash) === 0;
}

function pieceIn(request: Body): ImagePiece {
  const fields = new RequestFields(request, invalid);
  if (fields.has("image") && fields.count("image") !== 0) throw refuse(imageFault.badSlot);
  return {
    off: fields.count("off"),
    data: fields.bytes("data", 0, flashLayout.bankBytes),
    len: fields.has("len") ? fields.count("len") : undefined,
    sha: fields.has("sha") ? fields.bytes("sha", 0, 64) : undefined,
    upgradeOnly: fields.has("upgrade") && fields.flag("upgrade"),
  };
}

function slotList(slots: ImageSlots): Body {
  const images = ([0, 1] as const).flatMap((slot) => {
    const image = slots.image(slot);
    return typeof image === "object" ? [slotEntry(slot, image, slots.next)] : [];
  });
  return { images, splitStatus: 0 };
}

function slotEntry(slot: 0 | 1, { version, hash }: StoredImage, next: NextStart): Body {
  return {
    slot,
    version: versionText(version),
    hash,
    bootable: true,
    pending: slot === 1 && (next === "test" || next === "permanent"),
    // On trial, it is the image to fall back to that counts as confirmed.
    confirmed: slot === 0 ? next !== "revert" : next === "revert",
    active: slot === 0,
    permanent: slot === 1 && next === "permanent",
  };
}

function slotSizes(): Body {
  const { bankBytes: size, longestImageBytes } = flashLayout;
  const slots = [0, 1].map((slot) => ({ slot, size }));
  return { image: 0, slots, max_image_size: longestImageBytes };
}

function translate(code: number): number {
  switch (code) {
    case imageFault.noImage:
    case imageFault.noTrailers:
    case imageFault.hashNotFound:
      return smpCode.noEntry;
    case imageFault.noFreeSlot:
    case imageFault.runningIsNewer:
    case imageFault.alreadyPending:
      return smpCode.badState;
    case imageFault.badSlot:
    case imageFault.badLength:
    case imageFault.badHeader:
    case imageFault.badMagic:
    case imageFault.badHash:
      return smpCode.invalid;
    default:
      return smpCode.unknown;
  }
}
