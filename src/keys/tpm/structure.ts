/* Structures of TPM 2.0 on their way out; everything is big-endian. */

/** UINT8. */
export function uint8(value: number): Buffer {
  return Buffer.of(value);
}

/** UINT16. */
export function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

/** UINT32. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A structure with its size in front (TPM2B). */
export function sized(content: Uint8Array): Buffer {
  return Buffer.concat([uint16(content.length), content]);
}

/** An empty structure with its size in front. */
export const empty: Buffer = Buffer.alloc(2);
