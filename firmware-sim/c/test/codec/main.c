/*
 * Lets a test that knows the shared vectors ask this code. Each line of stdin is answered by one line, in hexadecimal:
 *
 *   crc BYTES      the CRC
 *   frame PACKET   the bytes that go over the line
 *   deframe BYTES  the packets found in them, each behind a space
 *   map BYTES      "yes" when they are one well-formed map
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../core/cbor-reader.h"
#include "../../core/console-frame.h"
#include "../../core/crc16.h"
#include "../../core/statistics.h"
#include "../../port/port.h"

struct statistics statistics;

static void print_hex(bytes_view bytes) {
  for (size_t i = 0; i < bytes.length; i++) printf("%02x", bytes.data[i]);
}

/* What the framing asks of a board. */
void port_uart_write(const uint8_t *bytes, size_t length) {
  const bytes_view view = {bytes, length};
  print_hex(view);
}

static size_t read_hex(const char *text, uint8_t *bytes, size_t capacity) {
  size_t length = 0;
  unsigned byte;
  while (length < capacity && sscanf(text + 2 * length, "%2x", &byte) == 1) bytes[length++] = (uint8_t)byte;
  return length;
}

static void deframe(bytes_view wire) {
  static console_receiver receiver;
  memset(&receiver, 0, sizeof receiver);
  for (size_t i = 0; i < wire.length; i++) {
    bytes_view packet;
    if (!console_receive(&receiver, wire.data[i], &packet)) continue;
    printf(" ");
    print_hex(packet);
  }
}

static void answer(const char *line) {
  static uint8_t buffer[65536];
  const char *const space = strchr(line, ' ');
  if (space == NULL) return;
  /* A block of its own, so that the sanitizer sees every byte that is read beyond it. */
  const size_t length = read_hex(space + 1, buffer, sizeof buffer);
  uint8_t *const exact = malloc(length > 0 ? length : 1);
  if (exact == NULL) exit(1);
  memcpy(exact, buffer, length);
  const bytes_view bytes = {exact, length};
  cbor_item item;
  if (strncmp(line, "crc ", 4) == 0) printf("%04x", crc16(0, bytes.data, bytes.length));
  if (strncmp(line, "frame ", 6) == 0) console_send(bytes);
  if (strncmp(line, "deframe ", 8) == 0) deframe(bytes);
  if (strncmp(line, "map ", 4) == 0) printf(cbor_well_formed(bytes, &item) && cbor_is_map(item) ? "yes" : "no");
  free(exact);
  printf("\n");
}

int main(void) {
  static char line[200000];
  while (fgets(line, sizeof line, stdin) != NULL) answer(line);
  return 0;
}
