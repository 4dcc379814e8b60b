/* Writes CBOR. Maps and arrays are of indefinite length, as other SMP servers write them: nobody has to count first. */
#ifndef CBOR_WRITER_H
#define CBOR_WRITER_H

#include "bytes.h"

typedef struct {
  uint8_t *buffer;
  size_t capacity;
  size_t length;
  /** Something did not fit; what stands in the buffer is of no use. */
  bool overflowed;
} cbor_writer;

static inline cbor_writer cbor_writer_over(uint8_t *buffer, size_t capacity) {
  const cbor_writer writer = {buffer, capacity, 0, false};
  return writer;
}

static inline bytes_view cbor_written(const cbor_writer *writer) {
  const bytes_view view = {writer->buffer, writer->length};
  return view;
}

void cbor_put_map(cbor_writer *writer);
void cbor_put_array(cbor_writer *writer);
/** Ends the map or array begun last. */
void cbor_put_end(cbor_writer *writer);
void cbor_put_uint(cbor_writer *writer, uint64_t value);
void cbor_put_int(cbor_writer *writer, int64_t value);
void cbor_put_bool(cbor_writer *writer, bool value);
void cbor_put_double(cbor_writer *writer, double value);
void cbor_put_text(cbor_writer *writer, const char *text);
void cbor_put_text_view(cbor_writer *writer, bytes_view text);
void cbor_put_bytes(cbor_writer *writer, bytes_view bytes);
/** The head of a byte string alone; its `length` bytes are the caller's to put. */
void cbor_put_bytes_head(cbor_writer *writer, size_t length);
/** An item that is encoded already. */
void cbor_put_encoded(cbor_writer *writer, bytes_view item);

/* A name in a map, and its value. */
void cbor_put_named_uint(cbor_writer *writer, const char *name, uint64_t value);
void cbor_put_named_bool(cbor_writer *writer, const char *name, bool value);
void cbor_put_named_text(cbor_writer *writer, const char *name, const char *text);

#endif
