import { createHash } from "node:crypto";
import { flashLayout } from "../flash/flash.ts";
import { type ImageFault, imageFault } from "./image-fault.ts";
import { compareVersions, headerBytes } from "./image-format.ts";
import type { ImageSlots } from "./image-slots.ts";
import { readHeader } from "./stored-image.ts";

/** A piece of an image. */
export interface ImagePiece {
  readonly off: number;
  readonly data: Uint8Array;
  /** Length of the whole, in the first piece. */
  readonly len: number | undefined;
  /** Tells this upload from others, in the first piece: SHA-256 of the file. */
  readonly sha: Uint8Array | undefined;
  /** Refuse what is not newer than what runs. */
  readonly upgradeOnly: boolean;
}

/** How far an upload is. */
export interface UploadAnswer {
  readonly off: number;
  /** Once all is there and `sha` was given: whether it is what was announced. */
  readonly match?: boolean;
}

interface Upload {
  readonly length: number;
  readonly sha: Uint8Array | undefined;
  offset: number;
}

/** Takes an image into slot 1. The offset that it answers is where the next piece has to begin, whatever was sent. */
export class ImageUpload {
  readonly #slots: ImageSlots;
  #current: Upload | undefined;

  constructor(slots: ImageSlots) {
    this.#slots = slots;
  }

  /** Whether a piece begins an upload for which slot 1 has to be erased. */
  begins(piece: ImagePiece): boolean {
    return piece.off === 0 && !this.#isUnderWay(piece);
  }

  /** Takes a piece. */
  take(piece: ImagePiece): UploadAnswer | ImageFault {
    if (this.begins(piece)) {
      const fault = this.#begin(piece);
      if (fault !== undefined) return fault;
    }
    const upload = this.#current;
    // Forgotten by a reset: the sender begins anew.
    if (upload === undefined) return { off: 0 };
    if (piece.off === upload.offset && upload.offset < upload.length) {
      if (piece.data.length > upload.length - upload.offset) return imageFault.overrun;
      this.#slots.write(1, upload.offset, piece.data);
      upload.offset += piece.data.length;
    }
    return upload.offset === upload.length ? { off: upload.offset, ...this.#match(upload) } : { off: upload.offset };
  }

  /** Forgets what is under way: the slot is being erased. */
  forget(): void {
    this.#current = undefined;
  }

  #isUnderWay({ len, sha }: ImagePiece): boolean {
    const upload = this.#current;
    if (upload?.sha === undefined || len !== upload.length || sha === undefined || !equal(sha, upload.sha))
      return false;
    // What did not arrive as announced has to come again, all of it.
    return upload.offset < upload.length || this.#match(upload).match === true;
  }

  #begin({ data, len, sha, upgradeOnly }: ImagePiece): ImageFault | undefined {
    if (len === undefined || len < headerBytes || (sha?.length ?? 0) > 32) return imageFault.badLength;
    if (len > flashLayout.longestImageBytes) return imageFault.tooLarge;
    if (data.length < headerBytes) return imageFault.badHeader;
    const header = readHeader(Buffer.from(data));
    if (typeof header === "number") return header;
    const running = this.#slots.image(0);
    if (upgradeOnly && typeof running === "object" && compareVersions(header.version, running.version) <= 0) {
      return imageFault.runningIsNewer;
    }
    if (!this.#slots.isFree) return imageFault.noFreeSlot;
    this.#slots.erase(1);
    this.#current = { length: len, sha: sha?.length ? sha : undefined, offset: 0 };
    return undefined;
  }

  #match({ sha, length }: Upload): { match?: boolean } {
    if (sha === undefined) return {};
    const digest = createHash("sha256").update(this.#slots.read(1, length)).digest();
    return { match: equal(sha, digest.subarray(0, sha.length)) };
  }
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
