import { createHash } from "node:crypto";

/** What an image is made of; the defaults make a good one. */
export interface ImageRecipe {
  readonly version?: readonly [number, number, number, number];
  readonly codeBytes?: number;
  readonly board?: string;
  readonly flags?: number;
  readonly headerBytes?: number;
  /** More trailers beside the hash, as type and value. */
  readonly trailers?: readonly (readonly [number, Uint8Array])[];
  readonly hash?: "sha256" | "sha384" | "sha512" | "none";
  readonly paddingBytes?: number;
}

const hashTypes = { sha256: 0x10, sha384: 0x11, sha512: 0x12 };

function trailers(magic: number, entries: readonly (readonly [number, Uint8Array])[]): Buffer {
  const parts = entries.map(([type, value]) => {
    const head = Buffer.alloc(4);
    head.writeUInt16LE(type, 0);
    head.writeUInt16LE(value.length, 2);
    return Buffer.concat([head, value]);
  });
  const head = Buffer.alloc(4);
  head.writeUInt16LE(magic, 0);
  head.writeUInt16LE(4 + parts.reduce((sum, { length }) => sum + length, 0), 2);
  return Buffer.concat([head, ...parts]);
}

/** An image as `imgtool sign` makes it, written from MCUboot's description of the format. */
export function firmwareImage(recipe: ImageRecipe = {}): Buffer {
  const { version = [1, 0, 0, 0], codeBytes = 5000, board, flags = 0, headerBytes = 32, hash = "sha256" } = recipe;
  const guarded = board === undefined ? Buffer.alloc(0) : trailers(0x6908, [[0x00a1, Buffer.from(board)]]);
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(0x96f3b83d, 0);
  header.writeUInt16LE(headerBytes, 8);
  header.writeUInt16LE(guarded.length, 10);
  header.writeUInt32LE(codeBytes, 12);
  header.writeUInt32LE(flags, 16);
  header[20] = version[0];
  header[21] = version[1];
  header.writeUInt16LE(version[2], 22);
  header.writeUInt32LE(version[3], 24);
  const code = Buffer.from(Array.from({ length: codeBytes }, (_, index) => (index * 31 + (index >> 8)) & 0xff));
  const covered = Buffer.concat([header, code, guarded]);
  const digest = hash === "none" ? [] : [[hashTypes[hash], createHash(hash).update(covered).digest()] as const];
  const plain = trailers(0x6907, [...digest, ...(recipe.trailers ?? [])]);
  return Buffer.concat([covered, plain, Buffer.alloc(recipe.paddingBytes ?? 0, 0xff)]);
}

/** MCUboot's hash of an image that {@link firmwareImage} made. */
export function imageHash(image: Buffer): Uint8Array {
  const covered = image.readUInt16LE(8) + image.readUInt32LE(12) + image.readUInt16LE(10);
  return Uint8Array.from(createHash("sha256").update(image.subarray(0, covered)).digest());
}
