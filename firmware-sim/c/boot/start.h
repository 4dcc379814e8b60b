#ifndef START_H
#define START_H

/** From reset to the firmware: the bootloader, then what slot 0 behaves like. */
void start_from_reset(void);

#endif
