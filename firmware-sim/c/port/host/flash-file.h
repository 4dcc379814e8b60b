#ifndef FLASH_FILE_H
#define FLASH_FILE_H

#include <stdbool.h>

/** Opens the file that is the flash, or makes it; false when that cannot be done. */
bool flash_file_open(const char *path);

#endif
