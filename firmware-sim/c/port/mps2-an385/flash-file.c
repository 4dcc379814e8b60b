/*
 * The board of the emulator has no flash that lasts, so a file of the host is it, by semihosting. It lasts over resets
 * and over the end of QEMU. What this cannot show: how long a real part takes to erase, and that code cannot run from
 * it then.
 */
#include "flash-file.h"

#include "../../core/flash-layout.h"
#include "../simulated-flash.h"
#include "semihosting.h"

static int file = -1;

bool flash_file_open(void) {
  char path[256];
  if (semihosting_argument(path, sizeof path) != 0) return false;
  file = semihosting_open(path, 0);
  if (file < 0) file = semihosting_open(path, 1);
  if (file < 0) return false;
  return semihosting_length(file) >= (int)FLASH_BYTES || simulated_flash_format();
}

void flash_file_close(void) { semihosting_close(file); }

bool flash_file_read(uint32_t offset, void *bytes, size_t length) {
  return semihosting_seek(file, offset) == 0 && semihosting_read(file, bytes, length) == 0;
}

bool flash_file_write(uint32_t offset, const void *bytes, size_t length) {
  return semihosting_seek(file, offset) == 0 && semihosting_write(file, bytes, length) == 0;
}
