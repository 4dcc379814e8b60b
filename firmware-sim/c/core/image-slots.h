/*
 * What the bootloader will do at the next reset. Firmware and bootloader speak through the trailers at the end of both
 * slots, in MCUboot's form (from the end: magic 16, image_ok 8, copy_done 8 bytes), so the same code serves a board
 * with a real MCUboot that swaps images.
 */
#ifndef IMAGE_SLOTS_H
#define IMAGE_SLOTS_H

#include <stdbool.h>

#include "image-fault.h"

typedef enum { SWAP_NONE, SWAP_TEST, SWAP_PERMANENT, SWAP_REVERT } swap_type;

/** What the next reset brings. */
swap_type image_slots_next_swap(void);

/** Asks for a swap at the next reset: for one run, or for good. Asking again for the same changes nothing. */
image_fault image_slots_request(bool permanent);

/** Keeps the image that runs. */
image_fault image_slots_confirm(void);

/** The trailers as a bootloader leaves them after a swap. Each is one write, but for the erasing before it. */
bool image_slots_write_swapped(swap_type type);

#endif
