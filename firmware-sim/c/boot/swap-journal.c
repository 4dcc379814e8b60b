#include "swap-journal.h"

#include "../core/bytes.h"
#include "../core/flash-layout.h"
#include "../port/port.h"

/* Block 0: magic (4), type (1), 0 (1), sectors (2). */
#define MAGIC 0x50415753u

bool swap_journal_read(swap_journal *journal) {
  uint8_t block[FLASH_BLOCK_BYTES];
  if (!port_flash_read(JOURNAL_OFFSET, block, sizeof block) || little_endian_32(block) != MAGIC) return false;
  journal->type = (swap_type)block[4];
  journal->sectors = little_endian_16(block + 6);
  journal->steps_done = 0;
  for (uint32_t at = FLASH_BLOCK_BYTES; at < FLASH_SECTOR_BYTES; at += FLASH_BLOCK_BYTES) {
    if (!port_flash_read(JOURNAL_OFFSET + at, block, sizeof block) || block[0] != 0) break;
    journal->steps_done++;
  }
  return true;
}

bool swap_journal_begin(swap_journal *journal, swap_type type, uint32_t sectors) {
  uint8_t block[FLASH_BLOCK_BYTES] = {0};
  put_little_endian_32(block, MAGIC);
  block[4] = (uint8_t)type;
  put_little_endian_16(block + 6, (uint16_t)sectors);
  journal->type = type;
  journal->sectors = sectors;
  journal->steps_done = 0;
  return port_flash_erase(JOURNAL_OFFSET) && port_flash_write(JOURNAL_OFFSET, block, sizeof block);
}

bool swap_journal_step_done(swap_journal *journal) {
  static const uint8_t done[FLASH_BLOCK_BYTES] = {0};
  journal->steps_done++;
  return port_flash_write(JOURNAL_OFFSET + journal->steps_done * FLASH_BLOCK_BYTES, done, sizeof done);
}

bool swap_journal_end(void) { return port_flash_erase(JOURNAL_OFFSET); }
