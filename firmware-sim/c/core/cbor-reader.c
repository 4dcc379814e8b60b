#include "cbor-reader.h"

#define DEEPEST 8u

enum major { UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };

typedef struct {
  enum major major;
  bool indefinite;
  uint8_t info;
  uint64_t argument;
} head;

#define BREAK 0xffu

static bool take_head(cbor_item *cursor, head *out) {
  if (cursor->at >= cursor->end) return false;
  const uint8_t first = *cursor->at++;
  out->major = (enum major)(first >> 5);
  out->info = first & 31u;
  out->indefinite = out->info == 31;
  out->argument = out->info;
  if (out->indefinite) return out->major >= BYTES && out->major <= MAP;
  if (out->info < 24) return true;
  if (out->info > 27) return false;
  const size_t length = (size_t)1 << (out->info - 24u);
  if ((size_t)(cursor->end - cursor->at) < length) return false;
  out->argument = 0;
  for (size_t i = 0; i < length; i++) out->argument = out->argument << 8 | *cursor->at++;
  return true;
}

static bool at_break(const cbor_item *cursor) { return cursor->at < cursor->end && *cursor->at == BREAK; }

static bool skip(cbor_item *cursor, unsigned depth);

static bool skip_items(cbor_item *cursor, const head *of, unsigned depth) {
  const uint64_t per_entry = of->major == MAP ? 2 : 1;
  if (of->indefinite) {
    while (!at_break(cursor)) {
      for (uint64_t i = 0; i < per_entry; i++)
        if (!skip(cursor, depth + 1)) return false;
    }
    cursor->at++;
    return true;
  }
  /* Each item is a byte at least, so a count beyond what is left ends at the first missing one. */
  if (of->argument > (uint64_t)(cursor->end - cursor->at)) return false;
  for (uint64_t i = 0; i < of->argument * per_entry; i++)
    if (!skip(cursor, depth + 1)) return false;
  return true;
}

static bool skip_string(cbor_item *cursor, const head *of) {
  if (!of->indefinite) {
    if (of->argument > (uint64_t)(cursor->end - cursor->at)) return false;
    cursor->at += of->argument;
    return true;
  }
  while (!at_break(cursor)) {
    head piece;
    if (!take_head(cursor, &piece) || piece.major != of->major || piece.indefinite) return false;
    if (!skip_string(cursor, &piece)) return false;
  }
  cursor->at++;
  return true;
}

static bool skip(cbor_item *cursor, unsigned depth) {
  head item;
  if (depth > DEEPEST || !take_head(cursor, &item)) return false;
  switch (item.major) {
    case BYTES:
    case TEXT:
      return skip_string(cursor, &item);
    case ARRAY:
    case MAP:
      return skip_items(cursor, &item, depth);
    case TAG:
      return skip(cursor, depth + 1);
    case SIMPLE:
      /* Simple values below 32 have one spelling only. */
      return item.info != 24 || item.argument >= 32;
    default:
      return true;
  }
}

bool cbor_well_formed(bytes_view bytes, cbor_item *item) {
  cbor_item cursor = {bytes.data, bytes.data + bytes.length};
  *item = cursor;
  return skip(&cursor, 0) && cursor.at == cursor.end;
}

bool cbor_is_map(cbor_item item) { return item.at < item.end && *item.at >> 5 == MAP; }

bytes_view cbor_encoded(cbor_item item) {
  cbor_item cursor = item;
  const bool whole = skip(&cursor, 0);
  const bytes_view view = {item.at, whole ? (size_t)(cursor.at - item.at) : 0};
  return view;
}

bool cbor_find(cbor_item map, const char *name, cbor_item *value) {
  cbor_item cursor = map;
  head of;
  if (!take_head(&cursor, &of) || of.major != MAP) return false;
  for (uint64_t i = 0; of.indefinite ? !at_break(&cursor) : i < of.argument; i++) {
    bytes_view key;
    const bool found = cbor_text(cursor, &key) && bytes_equal_text(key, name);
    if (!skip(&cursor, 0)) return false;
    if (found) {
      *value = cursor;
      return true;
    }
    if (!skip(&cursor, 0)) return false;
  }
  return false;
}

bool cbor_uint64(cbor_item item, uint64_t *value) {
  head of;
  if (!take_head(&item, &of) || of.major != UNSIGNED) return false;
  *value = of.argument;
  return true;
}

bool cbor_uint32(cbor_item item, uint32_t *value) {
  uint64_t wide;
  if (!cbor_uint64(item, &wide) || wide > UINT32_MAX) return false;
  *value = (uint32_t)wide;
  return true;
}

bool cbor_int32(cbor_item item, int32_t *value) {
  head of;
  if (!take_head(&item, &of) || of.major > NEGATIVE || of.argument > INT32_MAX) return false;
  *value = of.major == UNSIGNED ? (int32_t)of.argument : -1 - (int32_t)of.argument;
  return true;
}

bool cbor_bool(cbor_item item, bool *value) {
  if (item.at >= item.end || (*item.at != 0xf4u && *item.at != 0xf5u)) return false;
  *value = *item.at == 0xf5u;
  return true;
}

static bool string_of(cbor_item item, enum major major, bytes_view *value) {
  head of;
  if (!take_head(&item, &of) || of.major != major || of.indefinite) return false;
  if (of.argument > (uint64_t)(item.end - item.at)) return false;
  value->data = item.at;
  value->length = (size_t)of.argument;
  return true;
}

bool cbor_text(cbor_item item, bytes_view *value) { return string_of(item, TEXT, value); }

bool cbor_bytes(cbor_item item, bytes_view *value) { return string_of(item, BYTES, value); }

bool cbor_find_uint32(cbor_item map, const char *name, uint32_t *value) {
  cbor_item item;
  return cbor_find(map, name, &item) && cbor_uint32(item, value);
}

bool cbor_find_bool(cbor_item map, const char *name, bool *value) {
  cbor_item item;
  return cbor_find(map, name, &item) && cbor_bool(item, value);
}

bool cbor_find_text(cbor_item map, const char *name, size_t least, size_t most, bytes_view *value) {
  cbor_item item;
  return cbor_find(map, name, &item) && cbor_text(item, value) && value->length >= least && value->length <= most;
}

bool cbor_find_bytes(cbor_item map, const char *name, size_t least, size_t most, bytes_view *value) {
  cbor_item item;
  return cbor_find(map, name, &item) && cbor_bytes(item, value) && value->length >= least && value->length <= most;
}
