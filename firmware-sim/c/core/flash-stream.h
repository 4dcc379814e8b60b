/* Writes bytes as they come to flash that takes whole blocks only. */
#ifndef FLASH_STREAM_H
#define FLASH_STREAM_H

#include "bytes.h"
#include "flash-layout.h"

typedef struct {
  uint32_t offset;
  size_t waiting;
  uint8_t block[FLASH_BLOCK_BYTES];
} flash_stream;

/** Begins at an offset that is a multiple of a block. */
void flash_stream_begin(flash_stream *stream, uint32_t offset);

/** Writes what fills blocks; the rest waits. False when the flash refused. */
bool flash_stream_write(flash_stream *stream, bytes_view bytes);

/** Writes what waits, filled up with erased bytes. */
bool flash_stream_finish(flash_stream *stream);

#endif
