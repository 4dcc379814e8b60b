/*
 * Reads CBOR (RFC 8949) in place. A message is checked once, whole; the functions below then take items out of it by
 * name. Maps and arrays of definite and indefinite length are read; texts and byte strings in pieces are well-formed,
 * but have no value here.
 */
#ifndef CBOR_READER_H
#define CBOR_READER_H

#include "bytes.h"

/** An item that was found well-formed, from its first byte to the end of the message. */
typedef struct {
  const uint8_t *at;
  const uint8_t *end;
} cbor_item;

/** Whether `bytes` are exactly one well-formed item, nested at most 8 deep. */
bool cbor_well_formed(bytes_view bytes, cbor_item *item);

bool cbor_is_map(cbor_item item);

/** The value of `name` in a map; the first one where a name stands twice. */
bool cbor_find(cbor_item map, const char *name, cbor_item *value);

/** The bytes of an item itself. */
bytes_view cbor_encoded(cbor_item item);

/* Each gives false, and leaves `value` alone, when the item is of another kind or out of the type's range. */
bool cbor_uint32(cbor_item item, uint32_t *value);
bool cbor_uint64(cbor_item item, uint64_t *value);
bool cbor_int32(cbor_item item, int32_t *value);
bool cbor_bool(cbor_item item, bool *value);
bool cbor_text(cbor_item item, bytes_view *value);
bool cbor_bytes(cbor_item item, bytes_view *value);

/* The same for a name in a map; false also when it is absent. Lengths are in bytes, `least` to `most`. */
bool cbor_find_uint32(cbor_item map, const char *name, uint32_t *value);
bool cbor_find_bool(cbor_item map, const char *name, bool *value);
bool cbor_find_text(cbor_item map, const char *name, size_t least, size_t most, bytes_view *value);
bool cbor_find_bytes(cbor_item map, const char *name, size_t least, size_t most, bytes_view *value);

#endif
