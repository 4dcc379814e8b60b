#include "flash-stream.h"

#include "../port/port.h"

void flash_stream_begin(flash_stream *stream, uint32_t offset) {
  stream->offset = offset;
  stream->waiting = 0;
}

static bool write_block(flash_stream *stream) {
  if (!port_flash_write(stream->offset, stream->block, sizeof stream->block)) return false;
  stream->offset += (uint32_t)sizeof stream->block;
  stream->waiting = 0;
  return true;
}

bool flash_stream_write(flash_stream *stream, bytes_view bytes) {
  for (size_t i = 0; i < bytes.length; i++) {
    stream->block[stream->waiting++] = bytes.data[i];
    if (stream->waiting == sizeof stream->block && !write_block(stream)) return false;
  }
  return true;
}

bool flash_stream_finish(flash_stream *stream) {
  if (stream->waiting == 0) return true;
  memset(stream->block + stream->waiting, 0xff, sizeof stream->block - stream->waiting);
  return write_block(stream);
}
