#include "telemetry.h"

#include "../port/port.h"
#include "boot-count.h"
#include "console-frame.h"
#include "groups.h"
#include "log.h"
#include "sensor.h"
#include "settings.h"
#include "statistics.h"

#define REPEAT_MS 2000u
/* Longer than any wait. */
#define MOST_MS 4000000u

static struct {
  bool allowed;
  bool under_way;
  /** When the message was last said, or the last one answered. */
  uint32_t since;
  uint32_t number;
  /** Under which it was said last. */
  uint8_t sequence;
  size_t length;
  uint8_t packet[192];
} push;

void telemetry_put_reading(cbor_writer *writer) {
  const sensor_reading reading = sensor_read();
  cbor_put_text(writer, "temperature");
  cbor_put_double(writer, reading.temperature / 100.0);
  cbor_put_text(writer, "humidity");
  cbor_put_double(writer, reading.humidity / 10.0);
}

static void compose(void) {
  cbor_writer writer = cbor_writer_over(push.packet + SMP_HEADER_BYTES, sizeof push.packet - SMP_HEADER_BYTES);
  cbor_put_map(&writer);
  cbor_put_named_uint(&writer, "boot", boot_count());
  cbor_put_named_uint(&writer, "n", push.number);
  cbor_put_named_uint(&writer, "ms", port_milliseconds());
  cbor_put_text(&writer, "data");
  cbor_put_map(&writer);
  telemetry_put_reading(&writer);
  cbor_put_end(&writer);
  if (setting_number(SETTING_ALARM) != 0) {
    cbor_put_text(&writer, "props");
    cbor_put_map(&writer);
    cbor_put_named_text(&writer, "alarm", "on");
    cbor_put_end(&writer);
  }
  cbor_put_end(&writer);
  push.length = SMP_HEADER_BYTES + writer.length;
  push.under_way = true;
}

static void say(void) {
  smp_put_header(push.packet, 1, SMP_WRITE, push.length - SMP_HEADER_BYTES, TELEMETRY_GROUP_ID, ++push.sequence,
                 TELEMETRY_MESSAGE_ID);
  const bytes_view packet = {push.packet, push.length};
  console_send(packet);
  push.since = port_milliseconds();
}

void telemetry_allow(bool allowed) {
  /* What is due is due at once. */
  if (allowed && !push.allowed) push.since = port_milliseconds() - MOST_MS;
  push.allowed = allowed;
}

/** Whether the gateway refuses a message for good: a repetition would be as malformed, or as large. */
static bool is_unwanted(cbor_item answer) {
  cbor_item fault = answer;
  uint32_t code;
  cbor_find(answer, "err", &fault);
  return cbor_find_uint32(fault, "rc", &code) && (code == SMP_INVALID || code == SMP_TOO_LARGE);
}

static void go_on(void) {
  push.under_way = false;
  push.number++;
  push.since = port_milliseconds();
}

void telemetry_answered(uint8_t sequence, cbor_item answer) {
  uint32_t number;
  if (!push.under_way) return;
  if (cbor_find_uint32(answer, "n", &number)) {
    if (number != push.number) return;
    statistics.telemetry_answered++;
    go_on();
  } else if (sequence == push.sequence && is_unwanted(answer)) {
    /* A refusal has no number, so only the last saying's sequence tells which message it means. */
    log_number("the gateway does not want message ", push.number);
    statistics.telemetry_refused++;
    go_on();
  }
  /* After any other fault the message stays under way, and is said again in its time. */
}

void telemetry_poll(void) {
  if (!push.allowed) return;
  const uint32_t waited = port_milliseconds() - push.since;
  if (push.under_way) {
    if (waited < REPEAT_MS) return;
    statistics.telemetry_repeated++;
  } else {
    if (waited < (uint32_t)setting_number(SETTING_SAMPLING_PERIOD_MS)) return;
    compose();
    statistics.telemetry_sent++;
  }
  say();
}
