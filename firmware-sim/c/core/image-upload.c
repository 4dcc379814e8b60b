#include "image-upload.h"

#include "../port/port.h"
#include "flash-stream.h"
#include "image-file.h"
#include "image-slots.h"
#include "log.h"

#define SHA_BYTES 32u

static struct {
  bool begun;
  uint32_t length;
  uint32_t offset;
  size_t sha_length;
  uint8_t sha[SHA_BYTES];
  flash_stream stream;
  bool matches;
} upload;

void image_upload_forget(void) { upload.begun = false; }

image_fault image_slot_erase(void) {
  if (image_slots_next_swap() != SWAP_NONE) return IMAGE_NO_FREE_SLOT;
  image_upload_forget();
  for (uint32_t sector = SLOT_SECTORS; sector > 0; sector--)
    if (!port_flash_erase(SLOT_OFFSET(1) + (sector - 1) * FLASH_SECTOR_BYTES)) return IMAGE_FLASH_ERASE_FAILED;
  return IMAGE_OK;
}

static image_fault check_first_piece(const image_piece *piece) {
  image_header header;
  image_file running;
  if (!piece->has_length || piece->length < IMAGE_HEADER_BYTES) return IMAGE_BAD_LENGTH;
  if (piece->sha.length > SHA_BYTES) return IMAGE_BAD_LENGTH;
  if (piece->length > SLOT_IMAGE_BYTES) return IMAGE_TOO_LARGE;
  if (piece->data.length < IMAGE_HEADER_BYTES) return IMAGE_BAD_HEADER;
  const image_fault fault = image_header_read(piece->data.data, &header);
  if (fault != IMAGE_OK) return fault;
  if (piece->upgrade_only && image_file_read(0, &running) == IMAGE_OK &&
      image_version_compare(header.version, running.header.version) <= 0) {
    return IMAGE_RUNNING_IS_NEWER;
  }
  return IMAGE_OK;
}

static bool is_complete(void) { return upload.begun && upload.offset == upload.length; }

static bool is_under_way(const image_piece *piece) {
  const bytes_view sha = {upload.sha, upload.sha_length};
  /* What did not arrive as announced has to come again, all of it. */
  if (is_complete() && !upload.matches) return false;
  return upload.begun && piece->has_length && piece->length == upload.length && piece->sha.length > 0 &&
         bytes_equal(piece->sha, sha);
}

static image_fault begin(const image_piece *piece) {
  image_fault fault = check_first_piece(piece);
  if (fault == IMAGE_OK) fault = image_slot_erase();
  if (fault != IMAGE_OK) return fault;
  upload.begun = true;
  upload.length = piece->length;
  upload.offset = 0;
  upload.sha_length = piece->sha.length;
  upload.matches = false;
  if (piece->sha.length > 0) memcpy(upload.sha, piece->sha.data, piece->sha.length);
  flash_stream_begin(&upload.stream, SLOT_OFFSET(1));
  log_number("upload begun, bytes: ", piece->length);
  return IMAGE_OK;
}

static image_fault finish(void) {
  uint8_t hash[SHA_BYTES];
  if (!flash_stream_finish(&upload.stream)) return IMAGE_FLASH_WRITE_FAILED;
  if (!image_hash(1, upload.length, hash)) return IMAGE_FLASH_READ_FAILED;
  upload.matches = memcmp(hash, upload.sha, upload.sha_length) == 0;
  log_line(upload.matches ? "upload complete" : "upload complete, but not what was announced");
  return IMAGE_OK;
}

static image_fault append(bytes_view data) {
  if (data.length > upload.length - upload.offset) return IMAGE_OVERRUN;
  image_fault fault = flash_stream_write(&upload.stream, data) ? IMAGE_OK : IMAGE_FLASH_WRITE_FAILED;
  upload.offset += (uint32_t)data.length;
  if (fault == IMAGE_OK && is_complete()) fault = finish();
  /* Nobody knows what the flash holds then. */
  if (fault != IMAGE_OK) image_upload_forget();
  return fault;
}

image_fault image_upload_take(const image_piece *piece, image_progress *progress) {
  image_fault fault = IMAGE_OK;
  if (piece->offset == 0 && !is_under_way(piece)) fault = begin(piece);
  if (fault == IMAGE_OK && upload.begun && piece->offset == upload.offset && upload.offset < upload.length) {
    fault = append(piece->data);
  }
  progress->offset = upload.begun ? upload.offset : 0;
  progress->complete = is_complete();
  progress->compared = progress->complete && upload.sha_length > 0;
  progress->matches = upload.matches;
  return fault;
}
