#ifndef BASE64_H
#define BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BASE64_LENGTH(bytes) (((bytes) + 2u) / 3u * 4u)

/** Writes `length` bytes as padded base64, without a terminator; gives the number of characters. */
size_t base64_encode(const uint8_t *bytes, size_t length, char *text);

/** Takes padded base64 apart as it comes, four characters at a time. */
typedef struct {
  uint32_t bits;
  uint8_t characters;
  uint8_t padding;
} base64_decoder;

/**
 * Takes one character. Gives the number of bytes (0 to 3) that it completed and wrote to `bytes`, or -1 when no base64
 * has this character here.
 */
int base64_decode(base64_decoder *decoder, char character, uint8_t bytes[3]);

/** Whether the text so far could end here. */
static inline bool base64_is_whole(const base64_decoder *decoder) { return decoder->characters == 0; }

#endif
