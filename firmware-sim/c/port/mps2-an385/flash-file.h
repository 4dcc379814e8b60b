#ifndef FLASH_FILE_H
#define FLASH_FILE_H

#include <stdbool.h>

/** Opens the file named on the machine's command line as flash, or makes it; false when that cannot be done. */
bool flash_file_open(void);

/** Closes it: the machine's list of open files lasts over a reset. */
void flash_file_close(void);

#endif
