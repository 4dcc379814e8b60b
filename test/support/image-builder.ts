import { createHash } from "node:crypto";

/** An MCUboot image, for tests: header, body, and the TLV with its SHA-256. */
export interface BuiltImage {
  readonly bytes: Uint8Array;
  /** What the MCU calls its hash: that of header and body. */
  readonly hash: Uint8Array;
  /** SHA-256 of the whole file. */
  readonly sha: Uint8Array;
}

/** Builds an image of a version, "1.2.3", whose body begins with `marker` and is `bodyBytes` long. */
export function buildImage(version: string, { marker = "", bodyBytes = 2000 } = {}): BuiltImage {
  const [major = 0, minor = 0, revision = 0] = version.split(".").map(Number);
  const header = Buffer.alloc(32);
  header.writeUInt32LE(0x96f3b83d, 0);
  header.writeUInt16LE(header.length, 8);
  header.writeUInt32LE(bodyBytes, 12);
  header.writeUInt8(major, 20);
  header.writeUInt8(minor, 21);
  header.writeUInt16LE(revision, 22);
  const body = Buffer.alloc(bodyBytes, version);
  body.write(marker);
  const hash = createHash("sha256").update(header).update(body).digest();
  const tlv = Buffer.alloc(8);
  tlv.writeUInt16LE(0x6907, 0);
  tlv.writeUInt16LE(tlv.length + hash.length, 2);
  tlv.writeUInt16LE(0x10, 4);
  tlv.writeUInt16LE(hash.length, 6);
  const bytes = Buffer.concat([header, body, tlv, hash]);
  return { bytes, hash, sha: createHash("sha256").update(bytes).digest() };
}
