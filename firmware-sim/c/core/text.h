/* Builds a text in a buffer of its own; what does not fit is cut off. Ends in a zero at all times. */
#ifndef TEXT_H
#define TEXT_H

#include "bytes.h"
#include "image-file.h"

typedef struct {
  char *text;
  size_t capacity;
  size_t length;
  bool cut;
} text_builder;

text_builder text_builder_over(char *text, size_t capacity);

void text_put(text_builder *builder, const char *text);
void text_put_view(text_builder *builder, bytes_view text);
void text_put_uint(text_builder *builder, uint64_t value);
/** Percent-encodes all but letters, digits and - _ . ~ */
void text_put_encoded(text_builder *builder, bytes_view text);
/** "1.2.3", with a fourth number when there is a build. */
void text_put_version(text_builder *builder, image_version version);

#endif
