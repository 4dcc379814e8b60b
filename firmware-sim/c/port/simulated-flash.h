/*
 * Flash in a file, for ports without any: a file of FLASH_BYTES lasts over resets and over the end of the program. It
 * is as strict as the parts that firmware meets: whole blocks, and none twice without erasing.
 */
#ifndef SIMULATED_FLASH_H
#define SIMULATED_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Asked of the port: */
bool flash_file_read(uint32_t offset, void *bytes, size_t length);
bool flash_file_write(uint32_t offset, const void *bytes, size_t length);

/** Fills a new file with erased bytes. */
bool simulated_flash_format(void);

#endif
