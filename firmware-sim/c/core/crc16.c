#include "crc16.h"

uint16_t crc16(uint16_t crc, const uint8_t *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    crc = (uint16_t)(crc ^ bytes[i] << 8);
    for (int bit = 0; bit < 8; bit++) crc = (uint16_t)(crc & 0x8000u ? (crc << 1) ^ 0x1021 : crc << 1);
  }
  return crc;
}
