/** Bytes with their size in front, big-endian in two bytes: how every `TPM2B_…` structure is written. */
export function sized(...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const size = Buffer.alloc(2);
  size.writeUInt16BE(content.length);
  return Buffer.concat([size, content]);
}
