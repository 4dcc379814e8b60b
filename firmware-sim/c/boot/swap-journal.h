/*
 * How far a swap has come, in a sector of its own: block 0 says what is swapped, each further block that one more step
 * is done. After a power cut the swap goes on with the first step that is not written down; every step may be done
 * twice.
 */
#ifndef SWAP_JOURNAL_H
#define SWAP_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "../core/image-slots.h"

typedef struct {
  swap_type type;
  uint32_t sectors;
  uint32_t steps_done;
} swap_journal;

/** Reads the journal of an unfinished swap; false when there is none. */
bool swap_journal_read(swap_journal *journal);

/** Begins a swap of the first `sectors` sectors of both slots. */
bool swap_journal_begin(swap_journal *journal, swap_type type, uint32_t sectors);

bool swap_journal_step_done(swap_journal *journal);

bool swap_journal_end(void);

#endif
