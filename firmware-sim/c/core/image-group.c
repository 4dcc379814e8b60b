/* Group 1: what lies in the two slots, and what becomes of it. */
#include "console-frame.h"
#include "flash-layout.h"
#include "groups.h"
#include "image-file.h"
#include "image-slots.h"
#include "image-upload.h"
#include "log.h"
#include "text.h"

static void put_version(cbor_writer *answer, image_version version) {
  char text[32];
  text_builder builder = text_builder_over(text, sizeof text);
  text_put_version(&builder, version);
  cbor_put_named_text(answer, "version", text);
}

static void put_slot(cbor_writer *answer, unsigned slot, const image_file *image, swap_type next) {
  const bytes_view hash = {image->hash, sizeof image->hash};
  cbor_put_map(answer);
  cbor_put_named_uint(answer, "slot", slot);
  put_version(answer, image->header.version);
  cbor_put_text(answer, "hash");
  cbor_put_bytes(answer, hash);
  cbor_put_named_bool(answer, "bootable", true);
  cbor_put_named_bool(answer, "pending", slot == 1 && (next == SWAP_TEST || next == SWAP_PERMANENT));
  /* On trial, it is the image to fall back to that counts as confirmed. */
  cbor_put_named_bool(answer, "confirmed", slot == 0 ? next != SWAP_REVERT : next == SWAP_REVERT);
  cbor_put_named_bool(answer, "active", slot == 0);
  cbor_put_named_bool(answer, "permanent", slot == 1 && next == SWAP_PERMANENT);
  cbor_put_end(answer);
}

static smp_outcome read_state(cbor_item request, cbor_writer *answer) {
  (void)request;
  const swap_type next = image_slots_next_swap();
  cbor_put_text(answer, "images");
  cbor_put_array(answer);
  for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
    image_file image;
    if (image_file_read(slot, &image) == IMAGE_OK) put_slot(answer, slot, &image, next);
  }
  cbor_put_end(answer);
  cbor_put_named_uint(answer, "splitStatus", 0);
  return smp_ok();
}

static image_fault request_swap(const image_file *image, bool permanent) {
  image_fault fault = image_file_verify(1, image);
  if (fault == IMAGE_OK) fault = image_slots_request(permanent);
  if (fault == IMAGE_OK) log_line(permanent ? "the next reset changes the image" : "the next reset tries the image");
  return fault;
}

static image_fault confirm_running(void) {
  const image_fault fault = image_slots_confirm();
  if (fault == IMAGE_OK) log_line("image confirmed");
  return fault;
}

static image_fault change_state(bytes_view hash, bool confirm) {
  image_file running;
  image_file other;
  const image_fault fault_of_running = image_file_read(0, &running);
  if (hash.length == 0) return confirm ? confirm_running() : IMAGE_BAD_HASH;
  if (fault_of_running == IMAGE_OK && memcmp(running.hash, hash.data, IMAGE_HASH_BYTES) == 0) {
    return confirm ? confirm_running() : IMAGE_TEST_OF_ACTIVE_DENIED;
  }
  if (image_file_read(1, &other) != IMAGE_OK || memcmp(other.hash, hash.data, IMAGE_HASH_BYTES) != 0) {
    return IMAGE_HASH_NOT_FOUND;
  }
  return request_swap(&other, confirm);
}

static smp_outcome write_state(cbor_item request, cbor_writer *answer) {
  cbor_item item;
  bool confirm = false;
  bytes_view hash = {NULL, 0};
  if (cbor_find(request, "confirm", &item) && !cbor_bool(item, &confirm)) return smp_fault(SMP_INVALID);
  /* No hash, in either spelling, means the image that runs. */
  if (cbor_find(request, "hash", &item) && *item.at != 0xf6u) {
    if (!cbor_bytes(item, &hash)) return smp_fault(SMP_INVALID);
    if (hash.length != 0 && hash.length != IMAGE_HASH_BYTES) return smp_group_fault(IMAGE_BAD_HASH);
  }
  const image_fault fault = change_state(hash, confirm);
  return fault == IMAGE_OK ? read_state(request, answer) : smp_group_fault(fault);
}

static bool read_piece(cbor_item request, image_piece *piece) {
  cbor_item item;
  *piece = (image_piece){0};
  if (!cbor_find_uint32(request, "off", &piece->offset)) return false;
  if (!cbor_find_bytes(request, "data", 0, CONSOLE_PACKET_BYTES, &piece->data)) return false;
  if (cbor_find(request, "len", &item)) {
    piece->has_length = true;
    if (!cbor_uint32(item, &piece->length)) return false;
  }
  if (cbor_find(request, "sha", &item) && !cbor_bytes(item, &piece->sha)) return false;
  return !cbor_find(request, "upgrade", &item) || cbor_bool(item, &piece->upgrade_only);
}

static smp_outcome upload(cbor_item request, cbor_writer *answer) {
  cbor_item item;
  uint32_t image = 0;
  if (cbor_find(request, "image", &item) && !cbor_uint32(item, &image)) return smp_fault(SMP_INVALID);
  if (image != 0) return smp_group_fault(IMAGE_BAD_SLOT);
  image_piece piece;
  image_progress progress;
  if (!read_piece(request, &piece)) return smp_fault(SMP_INVALID);
  const image_fault fault = image_upload_take(&piece, &progress);
  if (fault != IMAGE_OK) return smp_group_fault(fault);
  cbor_put_named_uint(answer, "off", progress.offset);
  if (progress.compared) cbor_put_named_bool(answer, "match", progress.matches);
  return smp_ok();
}

static smp_outcome erase(cbor_item request, cbor_writer *answer) {
  (void)answer;
  cbor_item item;
  uint32_t slot = 1;
  if (cbor_find(request, "slot", &item) && !cbor_uint32(item, &slot)) return smp_fault(SMP_INVALID);
  const image_fault fault = slot == 1 ? image_slot_erase() : IMAGE_BAD_SLOT;
  return fault == IMAGE_OK ? smp_ok() : smp_group_fault(fault);
}

static smp_outcome slot_info(cbor_item request, cbor_writer *answer) {
  (void)request;
  cbor_put_text(answer, "images");
  cbor_put_array(answer);
  cbor_put_map(answer);
  cbor_put_named_uint(answer, "image", 0);
  cbor_put_text(answer, "slots");
  cbor_put_array(answer);
  for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
    cbor_put_map(answer);
    cbor_put_named_uint(answer, "slot", slot);
    cbor_put_named_uint(answer, "size", SLOT_BYTES);
    cbor_put_end(answer);
  }
  cbor_put_end(answer);
  cbor_put_named_uint(answer, "max_image_size", SLOT_IMAGE_BYTES);
  cbor_put_end(answer);
  cbor_put_end(answer);
  return smp_ok();
}

static enum smp_code translate(uint8_t code) {
  switch (code) {
    case IMAGE_NONE:
    case IMAGE_NO_TLVS:
    case IMAGE_HASH_NOT_FOUND:
      return SMP_NO_ENTRY;
    case IMAGE_NO_FREE_SLOT:
    case IMAGE_RUNNING_IS_NEWER:
    case IMAGE_ALREADY_PENDING:
      return SMP_BAD_STATE;
    case IMAGE_BAD_SLOT:
    case IMAGE_BAD_LENGTH:
    case IMAGE_BAD_HEADER:
    case IMAGE_BAD_MAGIC:
    case IMAGE_BAD_HASH:
      return SMP_INVALID;
    default:
      return SMP_UNKNOWN;
  }
}

static const smp_command commands[] = {
    {0, read_state, write_state},
    {1, NULL, upload},
    {5, NULL, erase},
    {6, slot_info, NULL},
};

const smp_group image_group = {1, commands, sizeof commands / sizeof commands[0], translate};
