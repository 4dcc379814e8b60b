#ifndef CRC16_H
#define CRC16_H

#include <stddef.h>
#include <stdint.h>

/** CRC-16/XMODEM (polynomial 0x1021, start 0, nothing reflected) of `length` bytes, continued from `crc`. */
uint16_t crc16(uint16_t crc, const uint8_t *bytes, size_t length);

#endif
