/** NOR flash, as a microcontroller has it: sectors are erased to 0xff, and written bytes last over a power cut. */
export interface Flash {
  /** Bytes in all. */
  readonly size: number;
  read(offset: number, length: number): Buffer;
  /** Writes where it has been erased; writing elsewhere leaves the bits that both have. */
  write(offset: number, bytes: Uint8Array): void;
  /** Sets a range to 0xff. */
  erase(offset: number, length: number): void;
}

/**
 * Where things lie:
 *
 *   00000  bank 0: one image
 *   20000  bank 1: another
 *   40000  records: what lasts beside the images, two sectors that take turns
 */
export const flashLayout = {
  sectorBytes: 0x1000,
  bankBytes: 0x20000,
  /** The last sector of a bank is left to a bootloader's trailer, as MCUboot would have it. */
  longestImageBytes: 0x20000 - 0x1000,
  recordsOffset: 0x40000,
  size: 0x42000,
} as const;
