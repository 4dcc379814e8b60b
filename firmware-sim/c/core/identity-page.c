/*
 * The identity in a sector of flash that is written when the board is made, and that the firmware only reads:
 *
 *   "LFID" | length (2, little endian) | CRC-16 of the map (2, little endian) | CBOR map
 *   { "rid": text, ? "key": bytes, ? "p256": 32 bytes, ? "cert": DER, the device's own first, ? "life": seconds }
 */
#include "../port/port.h"
#include "bearssl_ec.h"
#include "bearssl_hmac.h"
#include "cbor-reader.h"
#include "crc16.h"
#include "flash-layout.h"
#include "identity.h"
#include "log.h"

#define HEADER_BYTES 8u
#define PAGE_BYTES FLASH_SECTOR_BYTES
#define KEY_MAX_BYTES 64u
#define P256_BYTES 32u
#define LIFE_SECONDS 86400u

static struct {
  size_t rid_length;
  uint8_t rid[128];
  size_t key_length;
  uint8_t key[KEY_MAX_BYTES];
  bool has_p256;
  uint8_t p256[P256_BYTES];
  uint32_t life;
  /* The chain stays in flash. */
  uint32_t certificate_offset;
  uint32_t certificate_length;
} identity;

static bool read_page(uint8_t page[PAGE_BYTES], cbor_item *map) {
  if (!port_flash_read(IDENTITY_OFFSET, page, PAGE_BYTES) || memcmp(page, "LFID", 4) != 0) return false;
  const bytes_view bytes = {page + HEADER_BYTES, little_endian_16(page + 4)};
  if (bytes.length > PAGE_BYTES - HEADER_BYTES) return false;
  return crc16(0, bytes.data, bytes.length) == little_endian_16(page + 6) && cbor_well_formed(bytes, map);
}

static void take(const uint8_t *page, cbor_item map) {
  bytes_view found;
  if (!cbor_find_text(map, "rid", 1, sizeof identity.rid, &found)) return;
  identity.rid_length = found.length;
  memcpy(identity.rid, found.data, found.length);
  if (cbor_find_bytes(map, "key", 1, sizeof identity.key, &found)) {
    identity.key_length = found.length;
    memcpy(identity.key, found.data, found.length);
  }
  identity.has_p256 = cbor_find_bytes(map, "p256", P256_BYTES, P256_BYTES, &found);
  if (identity.has_p256) memcpy(identity.p256, found.data, P256_BYTES);
  if (cbor_find_bytes(map, "cert", 1, PAGE_BYTES, &found)) {
    identity.certificate_offset = IDENTITY_OFFSET + (uint32_t)(found.data - page);
    identity.certificate_length = (uint32_t)found.length;
  }
  if (!cbor_find_uint32(map, "life", &identity.life)) identity.life = LIFE_SECONDS;
}

void identity_load(void) {
  /* Used once, at the start; too large for the stack. */
  static uint8_t page[PAGE_BYTES];
  cbor_item map;
  if (read_page(page, &map)) take(page, map);
  else log_line("no identity page: nothing can be signed");
  memset(page, 0, sizeof page);
}

bytes_view identity_registration_id(void) {
  const bytes_view rid = {identity.rid, identity.rid_length};
  return rid.length > 0 ? rid : text_view("unprovisioned");
}

uint32_t identity_token_life(void) { return identity.life; }

bool identity_has_symmetric_key(void) { return identity.key_length > 0; }

bool identity_has_p256_key(void) { return identity.has_p256; }

bool identity_authenticate(bytes_view text, uint8_t mac[IDENTITY_MAC_BYTES]) {
  if (!identity_has_symmetric_key()) return false;
  br_hmac_key_context key;
  br_hmac_context context;
  br_hmac_key_init(&key, &br_sha256_vtable, identity.key, identity.key_length);
  br_hmac_init(&context, &key, 0);
  br_hmac_update(&context, text.data, text.length);
  br_hmac_out(&context, mac);
  return true;
}

size_t identity_sign(const uint8_t digest[IDENTITY_DIGEST_BYTES], uint8_t signature[IDENTITY_SIGNATURE_MAX_BYTES]) {
  if (!identity.has_p256) return 0;
  const br_ec_private_key key = {BR_EC_secp256r1, identity.p256, P256_BYTES};
  return br_ecdsa_i15_sign_asn1(&br_ec_p256_m15, &br_sha256_vtable, digest, &key, signature);
}

uint32_t identity_certificate_length(void) { return identity.certificate_length; }

bool identity_certificate_read(uint32_t offset, uint8_t *bytes, size_t length) {
  return offset <= identity.certificate_length && length <= identity.certificate_length - offset &&
         port_flash_read(identity.certificate_offset + offset, bytes, length);
}
