#include "semihosting.h"

#include <string.h>

enum operation {
  OPEN = 0x01,
  CLOSE = 0x02,
  WRITE = 0x05,
  READ = 0x06,
  SEEK = 0x0a,
  LENGTH = 0x0c,
  COMMAND_LINE = 0x15
};

/* How a file is opened: "r+b" and "w+b". */
enum { UPDATE = 3, CREATE = 7 };

static int call(enum operation operation, const void *parameters) {
  register int r0 __asm__("r0") = (int)operation;
  register const void *r1 __asm__("r1") = parameters;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

int semihosting_open(const char *path, int create) {
  const struct {
    const char *path;
    uint32_t mode;
    uint32_t length;
  } parameters = {path, create ? CREATE : UPDATE, strlen(path)};
  return call(OPEN, &parameters);
}

void semihosting_close(int file) {
  const struct {
    int file;
  } parameters = {file};
  call(CLOSE, &parameters);
}

int semihosting_length(int file) {
  const struct {
    int file;
  } parameters = {file};
  return call(LENGTH, &parameters);
}

int semihosting_seek(int file, uint32_t offset) {
  const struct {
    int file;
    uint32_t offset;
  } parameters = {file, offset};
  return call(SEEK, &parameters);
}

int semihosting_read(int file, void *bytes, size_t length) {
  const struct {
    int file;
    void *bytes;
    size_t length;
  } parameters = {file, bytes, length};
  return call(READ, &parameters);
}

int semihosting_write(int file, const void *bytes, size_t length) {
  const struct {
    int file;
    const void *bytes;
    size_t length;
  } parameters = {file, bytes, length};
  return call(WRITE, &parameters);
}

int semihosting_argument(char *text, size_t capacity) {
  const struct {
    char *text;
    uint32_t capacity;
  } parameters = {text, capacity};
  if (call(COMMAND_LINE, &parameters) != 0) return -1;
  const char *const space = strchr(text, ' ');
  if (space == NULL) return -1;
  memmove(text, space + 1, strlen(space));
  return 0;
}
