#include "console-frame.h"

#include "../port/port.h"
#include "crc16.h"
#include "statistics.h"

/* 127 characters a line, less two of the marker and the newline, hold 124 of base64. */
#define FRAME_BYTES 93u
/* A packet is a header at least. */
#define LEAST_PACKET_BYTES 8u

static void drop(console_receiver *receiver) {
  receiver->begun = false;
  receiver->state = OUTSIDE;
}

static void begin_frame(console_receiver *receiver, bool first) {
  if (first) {
    receiver->begun = true;
    receiver->length = 0;
  }
  receiver->base64 = (base64_decoder){0};
  receiver->state = receiver->begun ? INSIDE : OUTSIDE;
}

static void take_base64(console_receiver *receiver, uint8_t byte) {
  uint8_t bytes[3];
  const int count = base64_decode(&receiver->base64, (char)byte, bytes);
  if (count < 0 || receiver->length + (size_t)count > sizeof receiver->buffer) {
    statistics.frames_dropped++;
    drop(receiver);
    return;
  }
  memcpy(receiver->buffer + receiver->length, bytes, (size_t)count);
  receiver->length += (size_t)count;
}

/** At the end of a frame: true when the packet is whole and unharmed. */
static bool end_frame(console_receiver *receiver, bytes_view *packet) {
  receiver->state = OUTSIDE;
  const size_t expected = receiver->length < 2 ? SIZE_MAX : 2u + big_endian_16(receiver->buffer);
  const bool possible = expected >= 2 + LEAST_PACKET_BYTES + 2 && expected <= sizeof receiver->buffer;
  const bool harmed = !possible || !base64_is_whole(&receiver->base64) || receiver->length > expected;
  if (!harmed && receiver->length < expected) return false;
  receiver->begun = false;
  if (harmed || crc16(0, receiver->buffer + 2, expected - 2) != 0) {
    statistics.frames_dropped++;
    return false;
  }
  packet->data = receiver->buffer + 2;
  packet->length = expected - 4;
  return true;
}

bool console_receive(console_receiver *receiver, uint8_t byte, bytes_view *packet) {
  /*
   * Neither base64 nor text has these, so a marker is known wherever it stands: behind log text, and behind a frame
   * whose line end was lost.
   */
  if (byte == 0x06 || byte == 0x04) {
    const bool whole = receiver->state == INSIDE && end_frame(receiver, packet);
    receiver->state = byte == 0x06 ? AFTER_06 : AFTER_04;
    return whole;
  }
  switch (receiver->state) {
    case AFTER_06:
    case AFTER_04: {
      const bool first = receiver->state == AFTER_06;
      receiver->state = OUTSIDE;
      if (byte == (first ? 0x09 : 0x14)) begin_frame(receiver, first);
      return false;
    }
    case INSIDE:
      if (byte == '\n') return end_frame(receiver, packet);
      if (byte != '\r') take_base64(receiver, byte);
      return false;
    default:
      return false;
  }
}

/** Byte `index` of what goes over the line for `packet`. */
static uint8_t line_byte(bytes_view packet, uint16_t crc, size_t index) {
  const uint16_t length = (uint16_t)(packet.length + 2);
  if (index < 2) return (uint8_t)(index == 0 ? length >> 8 : length);
  if (index < packet.length + 2) return packet.data[index - 2];
  return (uint8_t)(index == packet.length + 2 ? crc >> 8 : crc);
}

void console_send(bytes_view packet) {
  const uint16_t crc = crc16(0, packet.data, packet.length);
  const size_t total = packet.length + 4;
  for (size_t sent = 0; sent < total;) {
    size_t count = total - sent < FRAME_BYTES ? total - sent : FRAME_BYTES;
    /* Receivers in the field want both bytes of the CRC in one frame. */
    if (total - sent - count == 1) count--;
    uint8_t bytes[FRAME_BYTES];
    for (size_t i = 0; i < count; i++) bytes[i] = line_byte(packet, crc, sent + i);

    uint8_t line[2 + BASE64_LENGTH(FRAME_BYTES) + 1] = {sent == 0 ? 0x06 : 0x04, sent == 0 ? 0x09 : 0x14};
    const size_t characters = base64_encode(bytes, count, (char *)line + 2);
    line[2 + characters] = '\n';
    port_uart_write(line, characters + 3);
    sent += count;
  }
  statistics.packets_sent++;
}
