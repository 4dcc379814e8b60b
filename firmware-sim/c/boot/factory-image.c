#include "factory-image.h"

#include "../core/bytes.h"
#include "../core/flash-layout.h"
#include "../core/image-file.h"
#include "../port/port.h"
#include "bearssl_hash.h"

#define BODY "landfall-mcu, as it left the factory     "
#define BODY_BYTES 40u
#define HASHED_BYTES (IMAGE_HEADER_BYTES + BODY_BYTES)
#define TLV_BYTES (4u + 4u + IMAGE_HASH_BYTES)

static void compose(uint8_t image[HASHED_BYTES + TLV_BYTES]) {
  memset(image, 0, HASHED_BYTES + TLV_BYTES);
  put_little_endian_32(image, 0x96f3b83du);
  put_little_endian_16(image + 8, IMAGE_HEADER_BYTES);
  put_little_endian_32(image + 12, BODY_BYTES);
  image[20] = 1;
  memcpy(image + IMAGE_HEADER_BYTES, BODY, BODY_BYTES);

  uint8_t *const tlv = image + HASHED_BYTES;
  put_little_endian_16(tlv, 0x6907);
  put_little_endian_16(tlv + 2, TLV_BYTES);
  put_little_endian_16(tlv + 4, 0x10);
  put_little_endian_16(tlv + 6, IMAGE_HASH_BYTES);
  br_sha256_context sha256;
  br_sha256_init(&sha256);
  br_sha256_update(&sha256, image, HASHED_BYTES);
  br_sha256_out(&sha256, tlv + 8);
}

bool factory_image_ensure(void) {
  static const uint8_t erased[FLASH_BLOCK_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  uint8_t image[HASHED_BYTES + TLV_BYTES];
  uint8_t first[FLASH_BLOCK_BYTES];
  if (!port_flash_read(SLOT_OFFSET(0), first, sizeof first)) return false;
  if (memcmp(first, erased, sizeof first) != 0) return true;
  compose(image);
  /* The block with the header's magic comes last: a cut before it leaves an empty slot. */
  return port_flash_erase(SLOT_OFFSET(0)) &&
         port_flash_write(SLOT_OFFSET(0) + sizeof first, image + sizeof first, sizeof image - sizeof first) &&
         port_flash_write(SLOT_OFFSET(0), image, sizeof first);
}
