#include "image-slots.h"

#include "../port/port.h"
#include "bytes.h"
#include "flash-layout.h"

#define MAGIC_BYTES 16u
#define MAGIC_OFFSET (SLOT_BYTES - MAGIC_BYTES)
#define IMAGE_OK_OFFSET (MAGIC_OFFSET - FLASH_BLOCK_BYTES)
#define COPY_DONE_OFFSET (IMAGE_OK_OFFSET - FLASH_BLOCK_BYTES)

static const uint8_t magic[MAGIC_BYTES] = {0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2, 0xef, 0x7f,
                                           0x35, 0x52, 0x50, 0x0f, 0x2c, 0xb6, 0x79, 0x80};
static const uint8_t flag_set[FLASH_BLOCK_BYTES] = {0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

typedef struct {
  bool good;
  bool image_ok;
  bool copy_done;
} trailer;

static bool read_trailer(unsigned slot, trailer *out) {
  uint8_t bytes[SLOT_BYTES - COPY_DONE_OFFSET];
  if (!port_flash_read(SLOT_OFFSET(slot) + COPY_DONE_OFFSET, bytes, sizeof bytes)) return false;
  out->copy_done = bytes[0] == flag_set[0];
  out->image_ok = bytes[IMAGE_OK_OFFSET - COPY_DONE_OFFSET] == flag_set[0];
  out->good = memcmp(bytes + (MAGIC_OFFSET - COPY_DONE_OFFSET), magic, sizeof magic) == 0;
  return true;
}

static bool write_flag(unsigned slot, uint32_t offset) {
  return port_flash_write(SLOT_OFFSET(slot) + offset, flag_set, sizeof flag_set);
}

static bool write_magic(unsigned slot) {
  return port_flash_write(SLOT_OFFSET(slot) + MAGIC_OFFSET, magic, sizeof magic);
}

swap_type image_slots_next_swap(void) {
  trailer running;
  trailer other;
  if (!read_trailer(0, &running) || !read_trailer(1, &other)) return SWAP_NONE;
  if (other.good) return other.image_ok ? SWAP_PERMANENT : SWAP_TEST;
  return running.good && running.copy_done && !running.image_ok ? SWAP_REVERT : SWAP_NONE;
}

image_fault image_slots_request(bool permanent) {
  switch (image_slots_next_swap()) {
    case SWAP_REVERT:
      /* The other slot holds the image to fall back to, and will be run anyhow. */
      return IMAGE_ALREADY_PENDING;
    case SWAP_PERMANENT:
      return permanent ? IMAGE_OK : IMAGE_ALREADY_PENDING;
    case SWAP_TEST:
      return !permanent || write_flag(1, IMAGE_OK_OFFSET) ? IMAGE_OK : IMAGE_FLASH_WRITE_FAILED;
    default:
      break;
  }
  /* What a cut write left behind; a trailer is written once after erasing. */
  if (!port_flash_erase(SLOT_OFFSET(1) + SLOT_TRAILER_OFFSET)) return IMAGE_FLASH_ERASE_FAILED;
  if (permanent && !write_flag(1, IMAGE_OK_OFFSET)) return IMAGE_FLASH_WRITE_FAILED;
  return write_magic(1) ? IMAGE_OK : IMAGE_FLASH_WRITE_FAILED;
}

image_fault image_slots_confirm(void) {
  trailer running;
  if (!read_trailer(0, &running)) return IMAGE_FLASH_READ_FAILED;
  /* Without a trailer the image was never on trial. */
  if (!running.good || running.image_ok) return IMAGE_OK;
  return write_flag(0, IMAGE_OK_OFFSET) ? IMAGE_OK : IMAGE_FLASH_WRITE_FAILED;
}

bool image_slots_write_swapped(swap_type type) {
  if (!port_flash_erase(SLOT_OFFSET(0) + SLOT_TRAILER_OFFSET)) return false;
  if (!write_flag(0, COPY_DONE_OFFSET) || (type != SWAP_TEST && !write_flag(0, IMAGE_OK_OFFSET))) return false;
  return write_magic(0) && port_flash_erase(SLOT_OFFSET(1) + SLOT_TRAILER_OFFSET);
}
