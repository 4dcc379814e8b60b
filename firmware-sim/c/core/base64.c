#include "base64.h"

static const char alphabet[64 + 1] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encode(const uint8_t *bytes, size_t length, char *text) {
  char *at = text;
  for (size_t i = 0; i < length; i += 3) {
    const size_t left = length - i;
    const uint32_t bits = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0u) |
                          (left > 2 ? (uint32_t)bytes[i + 2] : 0u);
    *at++ = alphabet[bits >> 18];
    *at++ = alphabet[bits >> 12 & 63u];
    *at++ = left > 1 ? alphabet[bits >> 6 & 63u] : '=';
    *at++ = left > 2 ? alphabet[bits & 63u] : '=';
  }
  return (size_t)(at - text);
}

static int value_of(char character) {
  if (character >= 'A' && character <= 'Z') return character - 'A';
  if (character >= 'a' && character <= 'z') return character - 'a' + 26;
  if (character >= '0' && character <= '9') return character - '0' + 52;
  if (character == '+') return 62;
  return character == '/' ? 63 : -1;
}

int base64_decode(base64_decoder *decoder, char character, uint8_t bytes[3]) {
  if (character == '=' && decoder->characters >= 2) {
    decoder->padding++;
    decoder->bits <<= 6;
  } else {
    const int value = value_of(character);
    /* Nothing follows padding. */
    if (value < 0 || decoder->padding > 0) return -1;
    decoder->bits = decoder->bits << 6 | (uint32_t)value;
  }
  if (++decoder->characters < 4) return 0;
  bytes[0] = (uint8_t)(decoder->bits >> 16);
  bytes[1] = (uint8_t)(decoder->bits >> 8);
  bytes[2] = (uint8_t)decoder->bits;
  decoder->bits = 0;
  decoder->characters = 0;
  return 3 - decoder->padding;
}
