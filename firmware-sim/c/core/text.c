#include "text.h"

text_builder text_builder_over(char *text, size_t capacity) {
  const text_builder builder = {text, capacity, 0, false};
  text[0] = '\0';
  return builder;
}

static void put_character(text_builder *builder, char character) {
  if (builder->length + 1 >= builder->capacity) {
    builder->cut = true;
    return;
  }
  builder->text[builder->length++] = character;
  builder->text[builder->length] = '\0';
}

void text_put(text_builder *builder, const char *text) {
  while (*text != '\0') put_character(builder, *text++);
}

void text_put_view(text_builder *builder, bytes_view text) {
  for (size_t i = 0; i < text.length; i++) put_character(builder, (char)text.data[i]);
}

void text_put_uint(text_builder *builder, uint64_t value) {
  char digits[20];
  size_t count = 0;
  do {
    digits[count++] = (char)('0' + value % 10);
    value /= 10;
  } while (value > 0);
  while (count > 0) put_character(builder, digits[--count]);
}

static bool is_unreserved(uint8_t byte) {
  return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
         byte == '_' || byte == '.' || byte == '~';
}

void text_put_encoded(text_builder *builder, bytes_view text) {
  static const char digits[16 + 1] = "0123456789ABCDEF";
  for (size_t i = 0; i < text.length; i++) {
    const uint8_t byte = text.data[i];
    if (is_unreserved(byte)) {
      put_character(builder, (char)byte);
    } else {
      put_character(builder, '%');
      put_character(builder, digits[byte >> 4]);
      put_character(builder, digits[byte & 15u]);
    }
  }
}

void text_put_version(text_builder *builder, image_version version) {
  text_put_uint(builder, version.major);
  text_put(builder, ".");
  text_put_uint(builder, version.minor);
  text_put(builder, ".");
  text_put_uint(builder, version.revision);
  if (version.build == 0) return;
  text_put(builder, ".");
  text_put_uint(builder, version.build);
}
