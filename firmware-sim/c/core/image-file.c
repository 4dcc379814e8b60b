#include "image-file.h"

#include "../port/port.h"
#include "bearssl_hash.h"
#include "flash-layout.h"

#define HEADER_MAGIC 0x96f3b83du
#define TLV_MAGIC 0x6907u
#define TLV_INFO_BYTES 4u
#define TLV_SHA256 0x10u

static int compare(uint32_t a, uint32_t b) { return a < b ? -1 : a > b ? 1 : 0; }

int image_version_compare(image_version a, image_version b) {
  if (a.major != b.major) return compare(a.major, b.major);
  if (a.minor != b.minor) return compare(a.minor, b.minor);
  return compare(a.revision, b.revision);
}

image_fault image_header_read(const uint8_t bytes[IMAGE_HEADER_BYTES], image_header *header) {
  if (little_endian_32(bytes) != HEADER_MAGIC) return IMAGE_BAD_MAGIC;
  header->header_bytes = little_endian_16(bytes + 8);
  header->protected_tlv_bytes = little_endian_16(bytes + 10);
  header->body_bytes = little_endian_32(bytes + 12);
  header->version.major = bytes[20];
  header->version.minor = bytes[21];
  header->version.revision = little_endian_16(bytes + 22);
  header->version.build = little_endian_32(bytes + 24);
  if (header->header_bytes < IMAGE_HEADER_BYTES || header->body_bytes > SLOT_IMAGE_BYTES ||
      header->header_bytes + header->body_bytes + header->protected_tlv_bytes > SLOT_IMAGE_BYTES - TLV_INFO_BYTES) {
    return IMAGE_BAD_HEADER;
  }
  return IMAGE_OK;
}

static uint32_t hashed_bytes(const image_header *header) {
  return header->header_bytes + header->body_bytes + header->protected_tlv_bytes;
}

static image_fault read_hash(unsigned slot, image_file *image) {
  uint32_t at = hashed_bytes(&image->header);
  uint8_t entry[TLV_INFO_BYTES];
  if (!port_flash_read(SLOT_OFFSET(slot) + at, entry, sizeof entry)) return IMAGE_FLASH_READ_FAILED;
  if (little_endian_16(entry) != TLV_MAGIC) return IMAGE_NO_TLVS;
  const uint32_t end = at + little_endian_16(entry + 2);
  if (end > SLOT_IMAGE_BYTES) return IMAGE_BAD_TLV;
  for (at += TLV_INFO_BYTES; at + sizeof entry <= end;) {
    if (!port_flash_read(SLOT_OFFSET(slot) + at, entry, sizeof entry)) return IMAGE_FLASH_READ_FAILED;
    const uint32_t length = little_endian_16(entry + 2);
    at += (uint32_t)sizeof entry;
    if (little_endian_16(entry) == TLV_SHA256) {
      if (length != IMAGE_HASH_BYTES || at + length > end) return IMAGE_BAD_TLV;
      return port_flash_read(SLOT_OFFSET(slot) + at, image->hash, IMAGE_HASH_BYTES) ? IMAGE_OK
                                                                                    : IMAGE_FLASH_READ_FAILED;
    }
    at += length;
  }
  return IMAGE_HASH_NOT_FOUND;
}

image_fault image_file_read(unsigned slot, image_file *image) {
  uint8_t bytes[IMAGE_HEADER_BYTES];
  if (!port_flash_read(SLOT_OFFSET(slot), bytes, sizeof bytes)) return IMAGE_FLASH_READ_FAILED;
  const image_fault fault = image_header_read(bytes, &image->header);
  if (fault == IMAGE_BAD_MAGIC) return IMAGE_NONE;
  return fault == IMAGE_OK ? read_hash(slot, image) : fault;
}

bool image_hash(unsigned slot, uint32_t length, uint8_t hash[IMAGE_HASH_BYTES]) {
  br_sha256_context sha256;
  br_sha256_init(&sha256);
  uint8_t bytes[256];
  for (uint32_t at = 0; at < length;) {
    const uint32_t count = length - at < sizeof bytes ? length - at : (uint32_t)sizeof bytes;
    if (!port_flash_read(SLOT_OFFSET(slot) + at, bytes, count)) return false;
    br_sha256_update(&sha256, bytes, count);
    at += count;
  }
  br_sha256_out(&sha256, hash);
  return true;
}

image_fault image_file_verify(unsigned slot, const image_file *image) {
  uint8_t hash[IMAGE_HASH_BYTES];
  if (!image_hash(slot, hashed_bytes(&image->header), hash)) return IMAGE_FLASH_READ_FAILED;
  return memcmp(hash, image->hash, sizeof hash) == 0 ? IMAGE_OK : IMAGE_BAD_HASH;
}
