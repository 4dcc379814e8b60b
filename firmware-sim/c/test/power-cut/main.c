/*
 * Cuts the power at every single write and erasure of flash: in an upload, a test swap, a permanent one, a revert, a
 * confirmation and while settings are written. Whatever was cut, the next start must find either the state before or
 * the one after, never another, and never "no image".
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../boot/bootloader.h"
#include "../../boot/swap-journal.h"
#include "../../core/bytes.h"
#include "../../core/flash-layout.h"
#include "../../core/image-file.h"
#include "../../core/image-slots.h"
#include "../../core/image-upload.h"
#include "../../core/record-store.h"
#include "../../port/port.h"
#include "../../port/simulated-flash.h"
#include "bearssl_hash.h"

const char port_board[] = "test";
const char port_processor[] = "test";

static uint8_t flash[FLASH_BYTES];
static uint8_t snapshot[FLASH_BYTES];
static unsigned writes;
static unsigned cut_at;
/** The flash refuses to be written, as a worn one does. */
static bool is_worn;
static jmp_buf power_cut;

uint32_t port_milliseconds(void) { return 0; }

void port_uart_write(const uint8_t *bytes, size_t length) {
  (void)bytes;
  (void)length;
}

bool flash_file_read(uint32_t offset, void *bytes, size_t length) {
  memcpy(bytes, flash + offset, length);
  return true;
}

/** Blocks are whole or not there; a write of several may be cut before the first, the second or the last. */
bool flash_file_write(uint32_t offset, const void *bytes, size_t length) {
  if (is_worn) return false;
  for (size_t at = 0; at < length; at += FLASH_BLOCK_BYTES) {
    const bool may_be_cut = at <= FLASH_BLOCK_BYTES || at + FLASH_BLOCK_BYTES == length;
    if (cut_at != 0 && may_be_cut && ++writes == cut_at) longjmp(power_cut, 1);
    memcpy(flash + offset + at, (const uint8_t *)bytes + at, FLASH_BLOCK_BYTES);
  }
  return true;
}

static void expect(bool holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "power cut at write %u: expected %s\n", cut_at, what);
  exit(1);
}

/** Puts an image of a version into a slot, `body_bytes` long. */
static void put_image(unsigned slot, uint8_t major, uint32_t body_bytes) {
  uint8_t *const image = flash + SLOT_OFFSET(slot);
  memset(image, 0xff, SLOT_BYTES);
  memset(image, 0, IMAGE_HEADER_BYTES);
  put_little_endian_32(image, 0x96f3b83du);
  put_little_endian_16(image + 8, IMAGE_HEADER_BYTES);
  put_little_endian_32(image + 12, body_bytes);
  image[20] = major;
  memset(image + IMAGE_HEADER_BYTES, major, body_bytes);
  uint8_t *const tlv = image + IMAGE_HEADER_BYTES + body_bytes;
  put_little_endian_16(tlv, 0x6907);
  put_little_endian_16(tlv + 2, 40);
  put_little_endian_16(tlv + 4, 0x10);
  put_little_endian_16(tlv + 6, 32);
  br_sha256_context sha256;
  br_sha256_init(&sha256);
  br_sha256_update(&sha256, image, IMAGE_HEADER_BYTES + body_bytes);
  br_sha256_out(&sha256, tlv + 8);
}

static unsigned running(void) {
  image_file image;
  expect(image_file_read(0, &image) == IMAGE_OK && image_file_verify(0, &image) == IMAGE_OK, "a sound image in slot 0");
  return image.header.version.major;
}

static void boot(void) { expect(bootloader_run() == BOOT_RUNS, "a firmware that runs"); }

/** Acts until the power is cut; true when it was. */
static bool is_cut_during(void (*act)(void)) {
  if (setjmp(power_cut) != 0) return true;
  act();
  return false;
}

/**
 * Acts from the same flash again and again, cut one write later each time; `then` looks at what came of it. Gives the
 * number of writes.
 */
static unsigned cut_everywhere(void (*act)(void), void (*then)(void)) {
  memcpy(snapshot, flash, sizeof flash);
  for (cut_at = 1;; cut_at++) {
    memcpy(flash, snapshot, sizeof flash);
    writes = 0;
    const bool was_cut = is_cut_during(act);
    /* The number stays for messages, but nothing is cut any more. */
    writes = cut_at;
    then();
    if (!was_cut) break;
  }
  const unsigned all = cut_at - 1;
  cut_at = 0;
  return all;
}

static void then_new_image_on_trial(void) {
  swap_journal journal;
  const bool finished = image_slots_next_swap() == SWAP_REVERT && !swap_journal_read(&journal);
  boot();
  if (finished) {
    /* The image was there, but did not get to confirm itself: like any other start after a trial. */
    expect(running() == 1 && image_slots_next_swap() == SWAP_NONE, "the old image again");
    return;
  }
  expect(running() == 2, "the new image");
  expect(image_slots_next_swap() == SWAP_REVERT, "it to be on trial");
}

static void then_new_image_for_good(void) {
  boot();
  expect(running() == 2 && image_slots_next_swap() == SWAP_NONE, "the new image for good");
}

static void then_old_image_for_good(void) {
  boot();
  expect(running() == 1 && image_slots_next_swap() == SWAP_NONE, "the old image for good");
}

static void request_test(void) { image_slots_request(false); }

static void then_old_or_trial(void) {
  const swap_type next = image_slots_next_swap();
  expect(next == SWAP_NONE || next == SWAP_TEST, "a test or nothing");
  boot();
  expect(running() == (next == SWAP_TEST ? 2u : 1u), "what the trailer asked for");
}

static void confirm(void) { image_slots_confirm(); }

static void then_trial_or_confirmed(void) {
  const swap_type next = image_slots_next_swap();
  expect(next == SWAP_REVERT || next == SWAP_NONE, "on trial or confirmed");
  boot();
  expect(running() == (next == SWAP_NONE ? 2u : 1u), "the image that was confirmed, or the old one");
}

static void swap_images(void) { bootloader_run(); }

/** Version 1 runs, version 2 was uploaded. */
static void begin_with_upload(void) {
  memset(flash, 0xff, sizeof flash);
  put_image(0, 1, 3000);
  put_image(1, 2, 5000);
}

/** What the gateway sends: more than a sector, and no whole number of blocks. */
#define UPLOAD_BYTES (IMAGE_HEADER_BYTES + 5001u + 40u)
static uint8_t sent[UPLOAD_BYTES];
static uint8_t sent_hash[IMAGE_HASH_BYTES];

static void prepare_upload(void) {
  put_image(1, 2, 5001);
  memcpy(sent, flash + SLOT_OFFSET(1), sizeof sent);
  image_hash(1, sizeof sent, sent_hash);
}

static image_fault send_piece(uint32_t offset, uint32_t end, image_progress *progress) {
  image_piece piece = {.offset = offset, .data = {sent + offset, end - offset}};
  if (offset == 0) {
    piece.has_length = true;
    piece.length = sizeof sent;
    piece.sha = (bytes_view){sent_hash, sizeof sent_hash};
  }
  return image_upload_take(&piece, progress);
}

static void upload(void) {
  image_progress progress;
  image_upload_forget();
  for (uint32_t offset = 0; offset < sizeof sent; offset = progress.offset) {
    const uint32_t end = offset + 701u < sizeof sent ? offset + 701u : (uint32_t)sizeof sent;
    expect(send_piece(offset, end, &progress) == IMAGE_OK && progress.offset == end, "the piece to be taken");
  }
  expect(progress.compared && progress.matches, "the image that was sent");
}

static void then_old_image_and_room(void) {
  boot();
  expect(running() == 1 && image_slots_next_swap() == SWAP_NONE, "the old image, and no other asked for");
  upload();
  image_file image;
  expect(image_file_read(1, &image) == IMAGE_OK && image_file_verify(1, &image) == IMAGE_OK, "the whole upload");
}

static void test_upload(void) {
  memset(flash, 0xff, sizeof flash);
  put_image(0, 1, 3000);
  prepare_upload();
  /* What is in the slot from another time, to be erased. */
  put_image(1, 3, 9000);
  expect(cut_everywhere(upload, then_old_image_and_room) > 500, "an upload of many writes");
}

/** An upload whose last block the flash refused, and the same one again. */
static void test_worn_flash(void) {
  image_progress progress;
  begin_with_upload();
  prepare_upload();
  upload();
  /* The one before must not vouch for this one. */
  image_upload_forget();
  expect(send_piece(0, sizeof sent - 1, &progress) == IMAGE_OK, "the first piece to be taken");
  is_worn = true;
  expect(send_piece(sizeof sent - 1, sizeof sent, &progress) == IMAGE_FLASH_WRITE_FAILED, "a fault");
  is_worn = false;
  expect(send_piece(0, 701, &progress) == IMAGE_OK && progress.offset == 701, "the upload to begin anew");
  upload();
}

static void test_images(void) {
  begin_with_upload();
  cut_everywhere(request_test, then_old_or_trial);

  begin_with_upload();
  request_test();
  expect(cut_everywhere(swap_images, then_new_image_on_trial) > 500, "a swap of many writes");

  begin_with_upload();
  request_test();
  boot();
  cut_everywhere(confirm, then_trial_or_confirmed);

  begin_with_upload();
  request_test();
  boot();
  cut_everywhere(swap_images, then_old_image_for_good);

  begin_with_upload();
  image_slots_request(true);
  cut_everywhere(swap_images, then_new_image_for_good);
}

static uint8_t written;

static void write_record(void) { record_write(RECORD_SETTINGS, &written, 1); }

static uint8_t record(enum record_key key) {
  uint8_t value = 0;
  size_t length;
  return record_read(key, &value, 1, &length) ? value : 0;
}

static void then_old_or_new_record(void) {
  const uint8_t found = record(RECORD_SETTINGS);
  expect(found == written || found == (uint8_t)(written - 1), "the value before or after");
  expect(record(RECORD_BOOT_COUNT) == 7, "the other value untouched");
  written++;
  write_record();
  expect(record(RECORD_SETTINGS) == written, "to be able to write again");
  written--;
}

static void test_records(void) {
  memset(flash, 0xff, sizeof flash);
  const uint8_t seven = 7;
  expect(record_write(RECORD_BOOT_COUNT, &seven, 1), "a record to be written");
  written = 1;
  write_record();
  /* Enough for both sectors to have had their turn. */
  for (unsigned i = 0; i < 600; i++) {
    written++;
    if (written == 0) written = 1;
    if (written > 1) cut_everywhere(write_record, then_old_or_new_record);
    else write_record();
  }
}

static void test_empty_flash(void) {
  memset(flash, 0xff, sizeof flash);
  cut_everywhere(swap_images, then_old_image_for_good);
}

int main(void) {
  test_empty_flash();
  test_upload();
  test_worn_flash();
  test_images();
  test_records();
  printf("no power cut lost anything\n");
  return 0;
}
