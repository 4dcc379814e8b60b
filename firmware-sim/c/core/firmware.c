#include "firmware.h"

#include "../port/port.h"
#include "boot-count.h"
#include "commands.h"
#include "console-frame.h"
#include "identity.h"
#include "log.h"
#include "os-group.h"
#include "sensor.h"
#include "settings.h"
#include "smp.h"
#include "telemetry.h"
#include "text.h"

/* Often enough for whatever is due. */
#define IDLE_MS 20u

static console_receiver receiver;

static void log_start(void) {
  char version[32] = "without an image";
  image_file running;
  text_builder text = text_builder_over(version, sizeof version);
  if (image_file_read(0, &running) == IMAGE_OK) text_put_version(&text, running.header.version);
  log_text("landfall-mcu ", version);
  log_number("start ", boot_count());
}

static void start(void) {
  settings_load();
  boot_count_begin();
  sensor_begin((uint32_t)setting_number(SETTING_SENSOR_SEED));
  log_start();
  identity_load();
}

static void take(const uint8_t *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    bytes_view packet;
    bytes_view answer;
    if (!console_receive(&receiver, bytes[i], &packet) || !smp_take(packet, &answer)) continue;
    console_send(answer);
    if (reset_is_requested()) port_reset();
  }
}

void firmware_run(void) {
  start();
  for (;;) {
    uint8_t bytes[64];
    const size_t length = port_uart_read(bytes, sizeof bytes);
    take(bytes, length);
    commands_poll();
    telemetry_poll();
    if (length == 0) port_idle(IDLE_MS);
  }
}
