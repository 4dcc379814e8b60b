/** CRC-16/XMODEM: polynomial 0x1021, begun with 0, nothing reflected. Bit by bit, as small firmware does it. */
export function crc16(bytes: Uint8Array): number {
  let remainder = 0;
  for (const byte of bytes) {
    remainder ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) {
      remainder = (remainder & 0x8000) === 0 ? remainder << 1 : (remainder << 1) ^ 0x1021;
    }
    remainder &= 0xffff;
  }
  return remainder;
}
