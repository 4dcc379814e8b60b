#include "boot-count.h"

#include "bytes.h"
#include "log.h"
#include "record-store.h"

static uint32_t count;

void boot_count_begin(void) {
  uint8_t value[4];
  size_t length;
  if (record_read(RECORD_BOOT_COUNT, value, sizeof value, &length) && length == sizeof value) {
    count = little_endian_32(value);
  }
  count++;
  put_little_endian_32(value, count);
  if (!record_write(RECORD_BOOT_COUNT, value, sizeof value)) log_line("the count of starts could not be written");
}

uint32_t boot_count(void) { return count; }
