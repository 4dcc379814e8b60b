/* UART 0 of the CMSDK: DATA 0, STATE 4 (bit 0 send full, bit 1 received), CTRL 8, INTCLEAR c, BAUDDIV 10. */
#include "uart.h"

#include "../port.h"
#include "board.h"

#define UART 0x40004000u
#define DATA REGISTER(UART + 0x00u)
#define STATE REGISTER(UART + 0x04u)
#define CTRL REGISTER(UART + 0x08u)
#define INTCLEAR REGISTER(UART + 0x0cu)
#define BAUDDIV REGISTER(UART + 0x10u)

#define SEND_FULL 1u
#define RECEIVED 2u
#define SEND_AND_RECEIVE_WITH_INTERRUPT 0x0bu

#define RING_BYTES 2048u

static volatile uint8_t ring[RING_BYTES];
static volatile uint32_t put_count;
static volatile uint32_t taken_count;

void uart_start(void) {
  BAUDDIV = CLOCK_HZ / 115200u;
  CTRL = SEND_AND_RECEIVE_WITH_INTERRUPT;
  INTERRUPT_ENABLE = 1u << UART0_RECEIVE_INTERRUPT;
}

void uart_received_interrupt(void) {
  while ((STATE & RECEIVED) != 0) {
    const uint8_t byte = (uint8_t)DATA;
    INTCLEAR = RECEIVED;
    /* When the ring is full the byte is lost, as on any UART; the CRC of its frame tells. */
    if (put_count - taken_count < RING_BYTES) ring[put_count++ % RING_BYTES] = byte;
  }
}

int uart_has_received(void) { return put_count != taken_count; }

size_t port_uart_read(uint8_t *bytes, size_t capacity) {
  size_t count = 0;
  while (count < capacity && uart_has_received()) bytes[count++] = ring[taken_count++ % RING_BYTES];
  return count;
}

void port_uart_write(const uint8_t *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    while ((STATE & SEND_FULL) != 0) continue;
    DATA = bytes[i];
  }
}
