import { createHash, timingSafeEqual } from "node:crypto";
import { LandfallError } from "../../errors.ts";
import { formatImageVersion, type ImageVersion } from "./image-version.ts";

/** An image as MCUboot starts it, checked. */
export interface FirmwareImage {
  /** What is uploaded: header, code and trailers, without the padding that a file for programmers has behind. */
  readonly bytes: Uint8Array;
  readonly version: ImageVersion;
  /** The hash of MCUboot, by which image lists and bootloader know the image. */
  readonly hash: Uint8Array;
  /** The board it is for, from its trailer; absent when the image does not tell. */
  readonly board: string | undefined;
}

const magic = 0x96f3b83d;
const headerLength = 32;
const flag = { encrypted: 0x04 | 0x08, nonBootable: 0x10 };
const trailerMagic = { protected: 0x6908, plain: 0x6907 };
const hashTrailers = new Map([
  [0x10, "sha256"],
  [0x11, "sha384"],
  [0x12, "sha512"],
]);

/** The trailer that names the board, of those that MCUboot leaves to vendors: `imgtool sign --custom-tlv 0x00a1 BOARD`. */
export const boardTrailer = 0x00a1;

interface Trailer {
  readonly type: number;
  readonly value: Buffer;
}

/**
 * Reads an image file and checks what MCUboot checks before it looks at the signature: header, lengths, trailers, hash.
 * The hash of an encrypted image is over what only the MCU can read; it is taken as it is. Throws `firmware.unusable`.
 */
export function readImageFile(file: Uint8Array): FirmwareImage {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.length < headerLength) throw unusable(`expected a header of ${headerLength} bytes, got ${bytes.length}`);
  if (bytes.readUInt32LE(0) !== magic)
    throw unusable(`expected the magic number 3d b8 f3 96, got ${hex(bytes.subarray(0, 4))}`);
  const [headerBytes, protectedBytes] = [bytes.readUInt16LE(8), bytes.readUInt16LE(10)];
  const [codeBytes, flags] = [bytes.readUInt32LE(12), bytes.readUInt32LE(16)];
  const version: ImageVersion = [bytes[20] ?? 0, bytes[21] ?? 0, bytes.readUInt16LE(22), bytes.readUInt32LE(24)];
  if (headerBytes < headerLength) throw unusable(`the header says it has ${headerBytes} bytes, fewer than there are`);
  if (codeBytes === 0) throw unusable("there is no code in it");
  if (flags & flag.nonBootable) throw unusable("it is marked as one that does not start");

  const codeEnd = headerBytes + codeBytes;
  const guarded = protectedBytes === 0 ? none(codeEnd) : readTrailers(bytes, codeEnd, trailerMagic.protected);
  if (guarded.end !== codeEnd + protectedBytes) {
    throw unusable(
      `the header has ${protectedBytes} bytes of protected trailers, the trailers ${guarded.end - codeEnd}`,
    );
  }
  const plain = readTrailers(bytes, guarded.end, trailerMagic.plain);
  const hash = checkedHash(bytes.subarray(0, guarded.end), plain.trailers, (flags & flag.encrypted) !== 0);
  // Only what the hash covers is believed.
  const board = guarded.trailers.find(({ type }) => type === boardTrailer)?.value.toString("utf8");
  return { bytes: bytes.subarray(0, plain.end), version, hash: Uint8Array.from(hash), board };
}

/** `1.2.3` of an image. */
export function imageVersionText(image: FirmwareImage): string {
  return formatImageVersion(image.version);
}

function checkedHash(covered: Buffer, trailers: readonly Trailer[], encrypted: boolean): Buffer {
  const found = trailers.filter(({ type }) => hashTrailers.has(type));
  const [trailer] = found;
  if (trailer === undefined || found.length > 1)
    throw unusable(`expected one hash among the trailers, got ${found.length}`);
  const digest = createHash(hashTrailers.get(trailer.type) as string)
    .update(covered)
    .digest();
  const same = digest.length === trailer.value.length && timingSafeEqual(digest, trailer.value);
  if (!same && !encrypted) throw unusable("its hash is not that of its content: it was cut off or changed");
  return trailer.value;
}

function none(end: number): { readonly trailers: readonly Trailer[]; readonly end: number } {
  return { trailers: [], end };
}

/** A list of type-length-value entries behind a head of its own: magic number and length, head included. */
function readTrailers(bytes: Buffer, start: number, expectedMagic: number): ReturnType<typeof none> {
  if (bytes.length < start + 4) throw unusable(`it ends after ${bytes.length} bytes, before its trailers at ${start}`);
  const found = bytes.readUInt16LE(start);
  if (found !== expectedMagic) {
    throw unusable(`expected trailers (0x${expectedMagic.toString(16)}) at ${start}, got 0x${found.toString(16)}`);
  }
  const end = start + bytes.readUInt16LE(start + 2);
  if (end > bytes.length) throw unusable(`it ends after ${bytes.length} bytes, within its trailers up to ${end}`);
  const trailers: Trailer[] = [];
  let at = start + 4;
  while (at < end) {
    const valueAt = at + 4;
    const next = valueAt + (valueAt <= end ? bytes.readUInt16LE(at + 2) : 0);
    if (next > end) throw unusable(`the trailer at ${at} is longer than its list`);
    trailers.push({ type: bytes.readUInt16LE(at), value: bytes.subarray(valueAt, next) });
    at = next;
  }
  if (at !== end) throw unusable(`the trailers end at ${at}, not at ${end} as they say`);
  return { trailers, end };
}

function unusable(why: string): LandfallError {
  return new LandfallError("firmware.unusable", `not an image for MCUboot: ${why}`);
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
