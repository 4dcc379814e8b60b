#ifndef BOOT_COUNT_H
#define BOOT_COUNT_H

#include <stdint.h>

/** Counts this start. It is written down before anything is answered, so that no two starts share a number. */
void boot_count_begin(void);

/** The number of this start: "boot" on the wire. Begins anew only when all flash is erased. */
uint32_t boot_count(void);

#endif
