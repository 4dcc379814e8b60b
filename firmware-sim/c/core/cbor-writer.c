#include "cbor-writer.h"

static void put(cbor_writer *writer, const void *bytes, size_t length) {
  if (writer->overflowed || length > writer->capacity - writer->length) {
    writer->overflowed = true;
    return;
  }
  if (length > 0) memcpy(writer->buffer + writer->length, bytes, length);
  writer->length += length;
}

static void put_byte(cbor_writer *writer, unsigned byte) {
  const uint8_t one = (uint8_t)byte;
  put(writer, &one, 1);
}

static void put_big_endian(cbor_writer *writer, uint64_t value, unsigned length) {
  for (unsigned i = length; i > 0; i--) put_byte(writer, (unsigned)(value >> (8u * (i - 1u)) & 0xffu));
}

static void put_head(cbor_writer *writer, unsigned major, uint64_t argument) {
  if (argument < 24) {
    put_byte(writer, major << 5 | (unsigned)argument);
    return;
  }
  const unsigned power = argument <= UINT8_MAX ? 0 : argument <= UINT16_MAX ? 1 : argument <= UINT32_MAX ? 2 : 3;
  put_byte(writer, major << 5 | (24u + power));
  put_big_endian(writer, argument, 1u << power);
}

void cbor_put_map(cbor_writer *writer) { put_byte(writer, 0xbf); }

void cbor_put_array(cbor_writer *writer) { put_byte(writer, 0x9f); }

void cbor_put_end(cbor_writer *writer) { put_byte(writer, 0xff); }

void cbor_put_uint(cbor_writer *writer, uint64_t value) { put_head(writer, 0, value); }

void cbor_put_int(cbor_writer *writer, int64_t value) {
  if (value >= 0) put_head(writer, 0, (uint64_t)value);
  else put_head(writer, 1, (uint64_t)(-1 - value));
}

void cbor_put_bool(cbor_writer *writer, bool value) { put_byte(writer, value ? 0xf5 : 0xf4); }

void cbor_put_double(cbor_writer *writer, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  put_byte(writer, 0xfb);
  put_big_endian(writer, bits, 8);
}

void cbor_put_text(cbor_writer *writer, const char *text) { cbor_put_text_view(writer, text_view(text)); }

void cbor_put_text_view(cbor_writer *writer, bytes_view text) {
  put_head(writer, 3, text.length);
  put(writer, text.data, text.length);
}

void cbor_put_bytes(cbor_writer *writer, bytes_view bytes) {
  cbor_put_bytes_head(writer, bytes.length);
  put(writer, bytes.data, bytes.length);
}

void cbor_put_bytes_head(cbor_writer *writer, size_t length) { put_head(writer, 2, length); }

void cbor_put_encoded(cbor_writer *writer, bytes_view item) { put(writer, item.data, item.length); }

void cbor_put_named_uint(cbor_writer *writer, const char *name, uint64_t value) {
  cbor_put_text(writer, name);
  cbor_put_uint(writer, value);
}

void cbor_put_named_bool(cbor_writer *writer, const char *name, bool value) {
  cbor_put_text(writer, name);
  cbor_put_bool(writer, value);
}

void cbor_put_named_text(cbor_writer *writer, const char *name, const char *text) {
  cbor_put_text(writer, name);
  cbor_put_text(writer, text);
}
