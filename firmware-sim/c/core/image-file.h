/*
 * An image as MCUboot has it: a header of 32 bytes (little endian), padded to header_bytes; the body; protected TLVs,
 * if any; TLVs, among them the SHA-256 over all that stands before them.
 */
#ifndef IMAGE_FILE_H
#define IMAGE_FILE_H

#include "bytes.h"
#include "image-fault.h"

#define IMAGE_HEADER_BYTES 32u
#define IMAGE_HASH_BYTES 32u

typedef struct {
  uint8_t major;
  uint8_t minor;
  uint16_t revision;
  uint32_t build;
} image_version;

typedef struct {
  uint32_t header_bytes;
  uint32_t protected_tlv_bytes;
  uint32_t body_bytes;
  image_version version;
} image_header;

typedef struct {
  image_header header;
  uint8_t hash[IMAGE_HASH_BYTES];
} image_file;

/** Negative, zero or positive as `a` is older than, as old as, or newer than `b`; the build does not count. */
int image_version_compare(image_version a, image_version b);

/** Reads a header. IMAGE_BAD_MAGIC, or IMAGE_BAD_HEADER where its sizes cannot be. */
image_fault image_header_read(const uint8_t bytes[IMAGE_HEADER_BYTES], image_header *header);

/** Reads header and hash of the image in a slot. IMAGE_NONE when there is no header. */
image_fault image_file_read(unsigned slot, image_file *image);

/** Computes the hash of the image in a slot; IMAGE_BAD_HASH when it is not the one that its TLV gives. */
image_fault image_file_verify(unsigned slot, const image_file *image);

/** Computes the SHA-256 of a slot's first `length` bytes. */
bool image_hash(unsigned slot, uint32_t length, uint8_t hash[IMAGE_HASH_BYTES]);

#endif
