/*
 * What the firmware asks of a board. A port is one folder beside this file; firmware-sim/c/README.md walks through
 * writing one.
 */
#ifndef PORT_H
#define PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Name of the board and of its processor, as the OS group's "info" gives them. */
extern const char port_board[];
extern const char port_processor[];

/** Milliseconds since the start of the firmware. Wraps after 49 days; compare differences only. */
uint32_t port_milliseconds(void);

/** Takes up to `capacity` received bytes; 0 when there are none. Never waits. */
size_t port_uart_read(uint8_t *bytes, size_t capacity);

/** Sends `length` bytes, waiting while the line is busy. Where nobody listens, bytes are lost, as on a wire. */
void port_uart_write(const uint8_t *bytes, size_t length);

/** Sleeps until a byte is received or `milliseconds` have passed; may return earlier. */
void port_idle(uint32_t milliseconds);

/** Starts anew, as the reset pin does, once the last byte has left the UART. */
#if defined(__GNUC__)
__attribute__((noreturn))
#endif
void port_reset(void);

/**
 * Flash, by offset from its start as in core/flash-layout.h. Each gives false when the part does not do as told.
 * Written are whole blocks of FLASH_BLOCK_BYTES, each once after its sector was erased. A block is written wholly or
 * not at all, whatever the power does.
 */
bool port_flash_read(uint32_t offset, void *bytes, size_t length);
bool port_flash_write(uint32_t offset, const void *bytes, size_t length);
bool port_flash_erase(uint32_t sector_offset);

#endif
