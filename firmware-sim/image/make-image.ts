import { createHash } from "node:crypto";
import { LandfallError } from "../../src/errors.ts";
import { headerBytes, headerMagic, imageMarker, tlvMagic, tlvType } from "./image-format.ts";

/** What {@link makeMcuImage} makes an image of. */
export interface McuImageRecipe {
  /** `1.2.3` or `1.2.3+4`, major and minor up to 255, revision up to 65535. */
  readonly version: string;
  /** Bytes of code, 32 or more; different versions have different code. Default 4096. */
  readonly codeBytes?: number;
  /** What becomes of an MCU that starts it. Default `runs`; `hangs` and `crashes` are for updates that must be reverted. */
  readonly start?: "runs" | "hangs" | "crashes";
  /** The board that it is for, in the TLV 0x00a1, which the hash covers. Default: it does not tell. */
  readonly board?: string;
  /** Whether one byte of the code is changed after the hash was made. Default false. */
  readonly damaged?: boolean;
}

/**
 * An image for MCUboot that the simulated MCU and the sample firmware start, unsigned. The same recipe gives the same bytes.
 * Throws `simulator.rejected` for a recipe that no image can be made of.
 */
export function makeMcuImage({
  version,
  codeBytes = 4096,
  start = "runs",
  board,
  damaged,
}: McuImageRecipe): Uint8Array {
  const [major, minor, revision, build] = parseVersion(version);
  if (!Number.isInteger(codeBytes) || codeBytes < 32) {
    throw new LandfallError("simulator.rejected", `codeBytes: expected a whole number from 32 on, got ${codeBytes}`);
  }
  const guarded = board === undefined ? Buffer.alloc(0) : tlvs(tlvMagic.protected, tlvType.board, Buffer.from(board));
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(headerMagic, 0);
  header.writeUInt16LE(headerBytes, 8);
  header.writeUInt16LE(guarded.length, 10);
  header.writeUInt32LE(codeBytes, 12);
  header.writeUInt8(major, 20);
  header.writeUInt8(minor, 21);
  header.writeUInt16LE(revision, 22);
  header.writeUInt32LE(build, 24);
  const covered = Buffer.concat([
    header,
    code(`${start === "runs" ? "" : imageMarker[start]} ${version}`, codeBytes),
    guarded,
  ]);
  const hash = createHash("sha256").update(covered).digest();
  if (damaged) covered.writeUInt8(covered.readUInt8(headerBytes + 31) ^ 1, headerBytes + 31);
  return Uint8Array.from(Buffer.concat([covered, tlvs(tlvMagic.plain, tlvType.sha256, hash)]));
}

/** Begins with `text`, goes on with bytes that look like code: a damaged piece never looks like its neighbour. */
function code(text: string, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const blocks = Math.ceil(length / 32);
  for (let block = 0; block < blocks; block++) {
    createHash("sha256")
      .update(`${text} ${block}`)
      .digest()
      .copy(bytes, block * 32);
  }
  bytes.write(`${text} `, "latin1");
  return bytes;
}

function tlvs(magic: number, type: number, value: Uint8Array): Buffer {
  const heads = Buffer.alloc(8);
  heads.writeUInt16LE(magic, 0);
  heads.writeUInt16LE(8 + value.length, 2);
  heads.writeUInt16LE(type, 4);
  heads.writeUInt16LE(value.length, 6);
  return Buffer.concat([heads, value]);
}

function parseVersion(text: string): [number, number, number, number] {
  const parts = /^(\d+)\.(\d+)\.(\d+)(?:\+(\d+))?$/
    .exec(text)
    ?.slice(1)
    .map((part) => Number(part ?? 0));
  const [major = 256, minor = 256, revision = 65536, build = 0] = parts ?? [];
  if (major > 255 || minor > 255 || revision > 65535 || build > 0xffff_ffff) {
    throw new LandfallError("simulator.rejected", `version: expected 1.2.3 or 1.2.3+4, got "${text}"`);
  }
  return [major, minor, revision, build];
}
