import { createHash } from "node:crypto";
import { type ImageFault, imageFault } from "./image-fault.ts";
import { headerBytes, headerMagic, imageMarker, tlvMagic, tlvType, type Version } from "./image-format.ts";

/** An image that lies in a slot. */
export interface StoredImage {
  readonly version: Version;
  /** The hash that its TLV gives. */
  readonly hash: Uint8Array;
  /** Whether that is the hash of what lies there. */
  readonly sound: boolean;
  readonly start: "runs" | "hangs" | "crashes";
}

/** The header at the beginning of `bytes`, which must be whole. */
export function readHeader(bytes: Buffer): { version: Version; hashedBytes: number; bodyAt: number } | ImageFault {
  if (bytes.readUInt32LE(0) !== headerMagic) return imageFault.badMagic;
  const bodyAt = bytes.readUInt16LE(8);
  const hashedBytes = bodyAt + bytes.readUInt16LE(10) + bytes.readUInt32LE(12);
  if (bodyAt < headerBytes) return imageFault.badHeader;
  return {
    version: [bytes.readUInt8(20), bytes.readUInt8(21), bytes.readUInt16LE(22), bytes.readUInt32LE(24)],
    hashedBytes,
    bodyAt,
  };
}

/** The image in `area`, what a slot holds, or why there is none. */
export function readStoredImage(area: Buffer): StoredImage | ImageFault {
  const header = readHeader(area);
  if (header === imageFault.badMagic) return imageFault.noImage;
  if (typeof header === "number") return header;
  const { version, hashedBytes, bodyAt } = header;
  if (hashedBytes + 4 > area.length) return imageFault.badHeader;
  const hash = findHash(area, hashedBytes);
  if (typeof hash === "number") return hash;
  const digest = createHash("sha256").update(area.subarray(0, hashedBytes)).digest();
  const body = area.toString("latin1", bodyAt, bodyAt + 24);
  return { version, hash, sound: digest.equals(hash), start: startOf(body) };
}

function findHash(area: Buffer, from: number): Uint8Array | ImageFault {
  if (area.readUInt16LE(from) !== tlvMagic.plain) return imageFault.noTrailers;
  const end = from + area.readUInt16LE(from + 2);
  if (end > area.length) return imageFault.badTrailer;
  for (let at = from + 4; at + 4 <= end; at += 4 + area.readUInt16LE(at + 2)) {
    if (area.readUInt16LE(at) !== tlvType.sha256) continue;
    const value = area.subarray(at + 4, at + 4 + area.readUInt16LE(at + 2));
    return value.length === 32 && at + 36 <= end ? Uint8Array.from(value) : imageFault.badTrailer;
  }
  return imageFault.hashNotFound;
}

function startOf(body: string): StoredImage["start"] {
  if (body.startsWith(imageMarker.hangs)) return "hangs";
  return body.startsWith(imageMarker.crashes) ? "crashes" : "runs";
}
