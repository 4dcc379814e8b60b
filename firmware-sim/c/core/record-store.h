/*
 * Small values that last over resets and power cuts, in two sectors that take turns. A value is written behind the last
 * one, with a CRC; when a sector is full, the newest values move to the other, whose first block, written last, makes
 * it the one that counts. What was cut off while being written never happened.
 */
#ifndef RECORD_STORE_H
#define RECORD_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum record_key { RECORD_BOOT_COUNT = 1, RECORD_SETTINGS = 2, RECORD_KEY_END };

#define RECORD_MAX_BYTES 256u

/** Reads the newest value of a key, of `capacity` bytes at most. False when there is none. */
bool record_read(enum record_key key, void *value, size_t capacity, size_t *length);

/** Writes a value of up to RECORD_MAX_BYTES. False when the flash refused; the old value then stands. */
bool record_write(enum record_key key, const void *value, size_t length);

#endif
