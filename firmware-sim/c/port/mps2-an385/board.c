/* From the reset vector to the firmware, time, sleep and reset. */
#include "board.h"

#include <string.h>

#include "../../boot/start.h"
#include "../port.h"
#include "flash-file.h"
#include "uart.h"

const char port_board[] = "mps2-an385";
const char port_processor[] = "cortex-m3";

#define TICK_MS 10u

/* From the linker script. */
extern uint32_t data_in_flash[], data_begin[], data_end[], bss_begin[], bss_end[], stack_top[];

static volatile uint32_t ticks;

static void tick(void) { ticks++; }

uint32_t port_milliseconds(void) { return ticks * TICK_MS; }

void port_idle(uint32_t milliseconds) {
  /* One tick is the longest sleep. */
  (void)milliseconds;
  /* With interrupts held back nothing can come between looking and sleeping; one that is held back still wakes. */
  __asm__ volatile("cpsid i" ::: "memory");
  if (!uart_has_received()) __asm__ volatile("wfi" ::: "memory");
  __asm__ volatile("cpsie i" ::: "memory");
}

void port_reset(void) {
  flash_file_close();
  RESET_CONTROL = RESET_REQUEST;
  for (;;) continue;
}

static void say(const char *text) { port_uart_write((const uint8_t *)text, strlen(text)); }

static void fault(void) {
  say("fault: is QEMU running with -semihosting-config enable=on,target=native,arg=landfall-mcu,arg=FLASH ?\r\n");
  for (;;) continue;
}

static void reset(void) {
  memcpy(data_begin, data_in_flash, (size_t)((char *)data_end - (char *)data_begin));
  memset(bss_begin, 0, (size_t)((char *)bss_end - (char *)bss_begin));
  SYSTICK_RELOAD = CLOCK_HZ / 1000u * TICK_MS - 1u;
  SYSTICK_VALUE = 0;
  SYSTICK_CONTROL = SYSTICK_RUN_WITH_INTERRUPT;
  uart_start();
  if (!flash_file_open()) {
    say("no flash: its file could not be opened\r\n");
    for (;;) continue;
  }
  start_from_reset();
}

typedef void vector(void);

/* What a Cortex-M3 finds at address 0: the stack, 15 exceptions, the board's interrupts. */
const struct {
  uint32_t *stack;
  vector *exceptions[15];
  vector *interrupts[1];
} vectors __attribute__((section(".vectors"), used)) = {
    stack_top,
    {reset, fault, fault, fault, fault, fault, NULL, NULL, NULL, NULL, fault, fault, NULL, fault, tick},
    {uart_received_interrupt},
};
