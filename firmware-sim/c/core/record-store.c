#include "record-store.h"

#include "../port/port.h"
#include "bytes.h"
#include "crc16.h"
#include "flash-layout.h"

/* First block of a sector: magic (4), generation (4). */
#define SECTOR_MAGIC 0x7365524cu
/* First block of a record: marker (2), key (1), 0 (1), length (2), CRC of key, length and value (2). */
#define RECORD_MARKER 0x5a4cu
#define HEADER_BYTES FLASH_BLOCK_BYTES

#define NO_SECTOR UINT32_MAX

typedef struct {
  enum record_key key;
  uint32_t length;
  uint16_t crc;
} record_header;

static uint32_t padded(uint32_t length) {
  return (length + FLASH_BLOCK_BYTES - 1u) / FLASH_BLOCK_BYTES * FLASH_BLOCK_BYTES;
}

static bool generation_of(uint32_t sector, uint32_t *generation) {
  uint8_t block[HEADER_BYTES];
  if (!port_flash_read(sector, block, sizeof block) || little_endian_32(block) != SECTOR_MAGIC) return false;
  *generation = little_endian_32(block + 4);
  return true;
}

/** The sector that counts, or NO_SECTOR in an empty store. */
static uint32_t active_sector(uint32_t *generation) {
  uint32_t active = NO_SECTOR;
  *generation = 0;
  for (uint32_t i = 0; i < RECORDS_SECTORS; i++) {
    const uint32_t sector = RECORDS_OFFSET + i * FLASH_SECTOR_BYTES;
    uint32_t found;
    if (generation_of(sector, &found) && (active == NO_SECTOR || found > *generation)) {
      active = sector;
      *generation = found;
    }
  }
  return active;
}

/** The record at `offset`; false at the end of what was written. */
static bool read_header(uint32_t sector, uint32_t offset, record_header *header) {
  uint8_t block[HEADER_BYTES];
  if (offset + HEADER_BYTES > FLASH_SECTOR_BYTES) return false;
  if (!port_flash_read(sector + offset, block, sizeof block)) return false;
  header->key = (enum record_key)block[2];
  header->length = little_endian_16(block + 4);
  header->crc = little_endian_16(block + 6);
  return little_endian_16(block) == RECORD_MARKER && header->length <= RECORD_MAX_BYTES;
}

static uint16_t record_crc(enum record_key key, const uint8_t *value, uint32_t length) {
  const uint8_t start[3] = {(uint8_t)key, (uint8_t)length, (uint8_t)(length >> 8)};
  return crc16(crc16(0, start, sizeof start), value, length);
}

/** Finds the newest whole value of a key, and where the next record goes. */
static bool find(uint32_t sector, enum record_key key, uint8_t value[RECORD_MAX_BYTES], uint32_t *length,
                 uint32_t *end) {
  bool found = false;
  record_header header;
  *end = HEADER_BYTES;
  for (; read_header(sector, *end, &header); *end += HEADER_BYTES + padded(header.length)) {
    uint8_t candidate[RECORD_MAX_BYTES];
    if (header.key != key || !port_flash_read(sector + *end + HEADER_BYTES, candidate, header.length)) continue;
    if (record_crc(key, candidate, header.length) != header.crc) continue;
    memcpy(value, candidate, header.length);
    *length = header.length;
    found = true;
  }
  return found;
}

static bool append(uint32_t sector, uint32_t offset, enum record_key key, const uint8_t *value, uint32_t length) {
  uint8_t record[HEADER_BYTES + RECORD_MAX_BYTES];
  memset(record, 0xff, sizeof record);
  put_little_endian_16(record, RECORD_MARKER);
  record[2] = (uint8_t)key;
  record[3] = 0;
  put_little_endian_16(record + 4, (uint16_t)length);
  put_little_endian_16(record + 6, record_crc(key, value, length));
  memcpy(record + HEADER_BYTES, value, length);
  return port_flash_write(sector + offset, record, HEADER_BYTES + padded(length));
}

static bool is_erased(uint32_t sector, uint32_t offset) {
  for (; offset < FLASH_SECTOR_BYTES; offset += FLASH_BLOCK_BYTES) {
    static const uint8_t erased[FLASH_BLOCK_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    uint8_t block[FLASH_BLOCK_BYTES];
    if (!port_flash_read(sector + offset, block, sizeof block)) return false;
    if (memcmp(block, erased, sizeof block) != 0) return false;
  }
  return true;
}

/** Begins the other sector with the newest value of every key but `except`; its first block is still to be written. */
static bool move_to(uint32_t sector, uint32_t from, enum record_key except, uint32_t *end) {
  *end = HEADER_BYTES;
  if (!port_flash_erase(sector)) return false;
  for (int key = 1; key < RECORD_KEY_END && from != NO_SECTOR; key++) {
    uint8_t value[RECORD_MAX_BYTES];
    uint32_t length;
    uint32_t unused;
    if (key == (int)except || !find(from, (enum record_key)key, value, &length, &unused)) continue;
    if (!append(sector, *end, (enum record_key)key, value, length)) return false;
    *end += HEADER_BYTES + padded(length);
  }
  return true;
}

bool record_read(enum record_key key, void *value, size_t capacity, size_t *length) {
  uint32_t generation;
  const uint32_t sector = active_sector(&generation);
  uint8_t found[RECORD_MAX_BYTES];
  uint32_t found_length;
  uint32_t end;
  if (sector == NO_SECTOR || !find(sector, key, found, &found_length, &end) || found_length > capacity) return false;
  memcpy(value, found, found_length);
  *length = found_length;
  return true;
}

bool record_write(enum record_key key, const void *value, size_t length) {
  if (length > RECORD_MAX_BYTES) return false;
  uint32_t generation;
  uint32_t end = 0;
  const uint32_t sector = active_sector(&generation);
  if (sector != NO_SECTOR) {
    uint8_t unused[RECORD_MAX_BYTES];
    uint32_t unused_length;
    find(sector, key, unused, &unused_length, &end);
    const uint32_t needed = HEADER_BYTES + padded((uint32_t)length);
    /* Behind a record that was cut off, what looks free may not be erased. */
    if (end + needed <= FLASH_SECTOR_BYTES && is_erased(sector, end)) {
      return append(sector, end, key, value, (uint32_t)length);
    }
  }
  const uint32_t other = sector == RECORDS_OFFSET ? RECORDS_OFFSET + FLASH_SECTOR_BYTES : RECORDS_OFFSET;
  if (!move_to(other, sector, key, &end) || !append(other, end, key, value, (uint32_t)length)) return false;
  uint8_t block[HEADER_BYTES];
  put_little_endian_32(block, SECTOR_MAGIC);
  put_little_endian_32(block + 4, generation + 1);
  return port_flash_write(other, block, sizeof block);
}
