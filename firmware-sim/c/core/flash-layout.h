/*
 * Where things lie in flash:
 *
 *   00000  slot 0: the image that runs       (128 KiB, the last sector holds the trailer)
 *   20000  slot 1: the image that was uploaded, or the one to fall back to
 *   40000  records: settings, count of starts  (2 sectors)
 *   42000  the swap's journal and scratch      (2 sectors; only the simulated bootloader uses them)
 *   44000  identity page                       (1 sector, written when the board is made)
 */
#ifndef FLASH_LAYOUT_H
#define FLASH_LAYOUT_H

#define FLASH_BLOCK_BYTES 8u
#define FLASH_SECTOR_BYTES 4096u

#define SLOT_BYTES 0x20000u
#define SLOT_SECTORS (SLOT_BYTES / FLASH_SECTOR_BYTES)
#define SLOT_TRAILER_OFFSET (SLOT_BYTES - FLASH_SECTOR_BYTES)
/* The largest image: what is left of a slot beside the sector of its trailer. */
#define SLOT_IMAGE_BYTES SLOT_TRAILER_OFFSET
#define SLOT_COUNT 2u
#define SLOT_OFFSET(slot) ((uint32_t)(slot) * SLOT_BYTES)

#define RECORDS_OFFSET 0x40000u
#define RECORDS_SECTORS 2u
#define JOURNAL_OFFSET 0x42000u
#define SCRATCH_OFFSET 0x43000u
#define IDENTITY_OFFSET 0x44000u

#define FLASH_BYTES 0x45000u

#endif
