#include "bootloader.h"

#include "../core/flash-layout.h"
#include "../core/image-file.h"
#include "../core/image-slots.h"
#include "../core/log.h"
#include "../port/port.h"
#include "factory-image.h"
#include "swap-journal.h"

#define STEPS_PER_SECTOR 3u

static bool copy_sector(uint32_t from, uint32_t to) {
  uint8_t bytes[256];
  if (!port_flash_erase(to)) return false;
  for (uint32_t at = 0; at < FLASH_SECTOR_BYTES; at += (uint32_t)sizeof bytes) {
    if (!port_flash_read(from + at, bytes, sizeof bytes)) return false;
    if (!port_flash_write(to + at, bytes, sizeof bytes)) return false;
  }
  return true;
}

static bool swap_step(uint32_t step) {
  const uint32_t sector = step / STEPS_PER_SECTOR * FLASH_SECTOR_BYTES;
  switch (step % STEPS_PER_SECTOR) {
    case 0:
      return copy_sector(SLOT_OFFSET(1) + sector, SCRATCH_OFFSET);
    case 1:
      return copy_sector(SLOT_OFFSET(0) + sector, SLOT_OFFSET(1) + sector);
    default:
      return copy_sector(SCRATCH_OFFSET, SLOT_OFFSET(0) + sector);
  }
}

static bool finish_swap(swap_journal *journal) {
  while (journal->steps_done < journal->sectors * STEPS_PER_SECTOR) {
    if (!swap_step(journal->steps_done) || !swap_journal_step_done(journal)) return false;
  }
  return image_slots_write_swapped(journal->type) && swap_journal_end();
}

static bool slot_is_sound(unsigned slot) {
  image_file image;
  return image_file_read(slot, &image) == IMAGE_OK && image_file_verify(slot, &image) == IMAGE_OK;
}

static bool sector_is_erased(uint32_t sector) {
  uint8_t bytes[256];
  for (uint32_t at = 0; at < FLASH_SECTOR_BYTES; at += (uint32_t)sizeof bytes) {
    if (!port_flash_read(sector + at, bytes, sizeof bytes)) return false;
    for (size_t i = 0; i < sizeof bytes; i++)
      if (bytes[i] != 0xff) return false;
  }
  return true;
}

/** Sectors up to the last that either slot uses. */
static uint32_t sectors_to_swap(void) {
  uint32_t count = SLOT_SECTORS - 1;
  while (count > 0) {
    const uint32_t last = (count - 1) * FLASH_SECTOR_BYTES;
    if (!sector_is_erased(SLOT_OFFSET(0) + last) || !sector_is_erased(SLOT_OFFSET(1) + last)) break;
    count--;
  }
  return count;
}

static bool swap_if_asked(void) {
  swap_journal journal;
  if (swap_journal_read(&journal)) return finish_swap(&journal);
  const swap_type type = image_slots_next_swap();
  if (type == SWAP_NONE) return true;
  if (!slot_is_sound(1)) {
    log_line("bootloader: slot 1 holds no sound image; it is not run");
    return port_flash_erase(SLOT_OFFSET(1) + SLOT_TRAILER_OFFSET) && port_flash_erase(SLOT_OFFSET(1));
  }
  log_line(type == SWAP_REVERT ? "bootloader: going back" : "bootloader: changing the image");
  return swap_journal_begin(&journal, type, sectors_to_swap()) && finish_swap(&journal);
}

static bool body_begins_with(const image_file *image, const char *marker) {
  uint8_t start[24];
  const size_t length = strlen(marker);
  const uint32_t body = SLOT_OFFSET(0) + image->header.header_bytes;
  return image->header.body_bytes >= length && port_flash_read(body, start, length) &&
         memcmp(start, marker, length) == 0;
}

boot_outcome bootloader_run(void) {
  image_file image;
  if (!swap_if_asked() || !factory_image_ensure()) log_line("bootloader: the flash does not do as told");
  if (!slot_is_sound(0) || image_file_read(0, &image) != IMAGE_OK) return BOOT_NOTHING;
  if (body_begins_with(&image, "LANDFALL-MCU:hang")) return BOOT_HANGS;
  return body_begins_with(&image, "LANDFALL-MCU:crash") ? BOOT_CRASHES : BOOT_RUNS;
}
