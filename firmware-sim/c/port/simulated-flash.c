#include "simulated-flash.h"

#include <string.h>

#include "../core/flash-layout.h"
#include "port.h"

static bool fits(uint32_t offset, size_t length) { return offset <= FLASH_BYTES && length <= FLASH_BYTES - offset; }

bool port_flash_read(uint32_t offset, void *bytes, size_t length) {
  return fits(offset, length) && flash_file_read(offset, bytes, length);
}

static bool is_erased(uint32_t offset, size_t length) {
  uint8_t bytes[64];
  for (size_t at = 0; at < length;) {
    const size_t count = length - at < sizeof bytes ? length - at : sizeof bytes;
    if (!flash_file_read(offset + (uint32_t)at, bytes, count)) return false;
    for (size_t i = 0; i < count; i++)
      if (bytes[i] != 0xff) return false;
    at += count;
  }
  return true;
}

bool port_flash_write(uint32_t offset, const void *bytes, size_t length) {
  return fits(offset, length) && offset % FLASH_BLOCK_BYTES == 0 && length % FLASH_BLOCK_BYTES == 0 &&
         is_erased(offset, length) && flash_file_write(offset, bytes, length);
}

bool port_flash_erase(uint32_t sector) {
  if (!fits(sector, FLASH_SECTOR_BYTES) || sector % FLASH_SECTOR_BYTES != 0) return false;
  uint8_t erased[256];
  memset(erased, 0xff, sizeof erased);
  for (uint32_t at = 0; at < FLASH_SECTOR_BYTES; at += (uint32_t)sizeof erased)
    if (!flash_file_write(sector + at, erased, sizeof erased)) return false;
  return true;
}

bool simulated_flash_format(void) {
  for (uint32_t sector = 0; sector < FLASH_BYTES; sector += FLASH_SECTOR_BYTES)
    if (!port_flash_erase(sector)) return false;
  return true;
}
