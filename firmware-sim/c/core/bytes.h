/* A stretch of bytes that somebody else owns. */
#ifndef BYTES_H
#define BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
  const uint8_t *data;
  size_t length;
} bytes_view;

static inline bool bytes_equal(bytes_view a, bytes_view b) {
  return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static inline bool bytes_equal_text(bytes_view a, const char *text) {
  return a.length == strlen(text) && memcmp(a.data, text, a.length) == 0;
}

static inline bytes_view text_view(const char *text) {
  const bytes_view view = {(const uint8_t *)text, strlen(text)};
  return view;
}

/** Numbers as images and records hold them: least significant byte first. */
static inline uint16_t little_endian_16(const uint8_t *at) { return (uint16_t)(at[0] | at[1] << 8); }

static inline uint32_t little_endian_32(const uint8_t *at) {
  return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline void put_little_endian_16(uint8_t *at, uint16_t value) {
  at[0] = (uint8_t)value;
  at[1] = (uint8_t)(value >> 8);
}

static inline void put_little_endian_32(uint8_t *at, uint32_t value) {
  put_little_endian_16(at, (uint16_t)value);
  put_little_endian_16(at + 2, (uint16_t)(value >> 16));
}

/** Numbers as the wire holds them: most significant byte first. */
static inline uint16_t big_endian_16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }

static inline void put_big_endian_16(uint8_t *at, uint16_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

#endif
