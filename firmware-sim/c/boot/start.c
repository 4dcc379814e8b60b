#include "start.h"

#include "../core/firmware.h"
#include "../core/log.h"
#include "../port/port.h"
#include "bootloader.h"

/** How long an image that hangs goes unnoticed. */
#define WATCHDOG_MS 1000u
#define CRASH_MS 50u

/** Deaf and mute for a while. */
static void stay_silent(uint32_t milliseconds) {
  const uint32_t since = port_milliseconds();
  while (port_milliseconds() - since < milliseconds) {
    uint8_t unheard[64];
    if (port_uart_read(unheard, sizeof unheard) == 0) port_idle(milliseconds);
  }
}

void start_from_reset(void) {
  switch (bootloader_run()) {
    case BOOT_RUNS:
      firmware_run();
      break;
    case BOOT_HANGS:
      stay_silent(WATCHDOG_MS);
      break;
    case BOOT_CRASHES:
      stay_silent(CRASH_MS);
      break;
    case BOOT_NOTHING:
      log_line("bootloader: no image to run");
      for (;;) stay_silent(WATCHDOG_MS);
  }
  port_reset();
}
