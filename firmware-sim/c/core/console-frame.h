/*
 * SMP packets on a line that carries log text as well:
 *
 *   06 09 | base64 of up to 93 bytes | 0a      the first frame of a packet
 *   04 14 | base64 of up to 93 bytes | 0a      each further one
 *
 * The bytes are those of: length (2, big endian) | packet | CRC (2, big endian). The length counts packet and CRC.
 * What does not fit is dropped without an answer: the sender's time-out is the cure.
 */
#ifndef CONSOLE_FRAME_H
#define CONSOLE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base64.h"
#include "bytes.h"

/** What "params" gives as buf_size: a packet with its length and its CRC. */
#define CONSOLE_BUFFER_BYTES 1024u
#define CONSOLE_PACKET_BYTES (CONSOLE_BUFFER_BYTES - 4u)

typedef struct {
  enum { OUTSIDE, AFTER_06, AFTER_04, INSIDE } state;
  /** A first frame was seen, and nothing wrong since. */
  bool begun;
  base64_decoder base64;
  size_t length;
  uint8_t buffer[CONSOLE_BUFFER_BYTES];
} console_receiver;

/** Takes one byte from the line. True when it completed `packet`, which lives until the next byte is taken. */
bool console_receive(console_receiver *receiver, uint8_t byte, bytes_view *packet);

/** Sends a packet. */
void console_send(bytes_view packet);

#endif
