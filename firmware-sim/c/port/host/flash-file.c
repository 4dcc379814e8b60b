#include "flash-file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../core/flash-layout.h"
#include "../simulated-flash.h"

static int file = -1;

bool flash_file_open(const char *path) {
  struct stat status;
  /* It holds the device's keys. */
  file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0 || fstat(file, &status) != 0) return false;
  return status.st_size >= (off_t)FLASH_BYTES || simulated_flash_format();
}

bool flash_file_read(uint32_t offset, void *bytes, size_t length) {
  return pread(file, bytes, length, (off_t)offset) == (ssize_t)length;
}

bool flash_file_write(uint32_t offset, const void *bytes, size_t length) {
  return pwrite(file, bytes, length, (off_t)offset) == (ssize_t)length;
}
