/* Calls to the machine that emulates this board. QEMU needs -semihosting-config enable=on,target=native */
#ifndef SEMIHOSTING_H
#define SEMIHOSTING_H

#include <stddef.h>
#include <stdint.h>

/** Opens a file for reading and writing, making it when `create` is set; a negative number when that cannot be done. */
int semihosting_open(const char *path, int create);
void semihosting_close(int file);
/** Bytes of a file; negative on failure. */
int semihosting_length(int file);
/** Each gives 0 when all was done. */
int semihosting_seek(int file, uint32_t offset);
int semihosting_read(int file, void *bytes, size_t length);
int semihosting_write(int file, const void *bytes, size_t length);
/** What follows the program's name in arg=NAME,arg=TEXT; 0 when there is such a text. */
int semihosting_argument(char *text, size_t capacity);

#endif
