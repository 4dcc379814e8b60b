#include "commands.h"

#include "../port/port.h"
#include "log.h"
#include "settings.h"
#include "statistics.h"
#include "telemetry.h"

/* Statuses, as those of HTTP. */
enum { FINE = 200, BAD_ARGUMENTS = 400 };

#define CALIBRATION_MOST_MS 60000u

typedef void execution(const cbor_item *arguments, remembered_command *entry);

/** A result of one name and number. */
static void finish(remembered_command *entry, uint16_t status, const char *name, uint32_t number) {
  cbor_writer writer = cbor_writer_over(entry->result, sizeof entry->result);
  cbor_put_map(&writer);
  cbor_put_named_uint(&writer, name, number);
  cbor_put_end(&writer);
  entry->status = status;
  entry->result_length = (uint8_t)writer.length;
  entry->done = true;
}

static void refuse(remembered_command *entry, const char *why) {
  cbor_writer writer = cbor_writer_over(entry->result, sizeof entry->result);
  cbor_put_map(&writer);
  cbor_put_named_text(&writer, "error", why);
  cbor_put_end(&writer);
  entry->status = BAD_ARGUMENTS;
  entry->result_length = (uint8_t)writer.length;
  entry->done = true;
}

/** Blinks the light, args { ? "times": 1..100 }. */
static void blink(const cbor_item *arguments, remembered_command *entry) {
  uint32_t times = 1;
  cbor_item item;
  if (arguments != NULL && cbor_find(*arguments, "times", &item) &&
      (!cbor_uint32(item, &times) || times < 1 || times > 100)) {
    refuse(entry, "times: expected 1 to 100");
    return;
  }
  finish(entry, FINE, "done", times);
}

/** Adds one to a number that shows how often it was executed. */
static void count(const cbor_item *arguments, remembered_command *entry) {
  static uint32_t executions;
  (void)arguments;
  finish(entry, FINE, "count", ++executions);
}

/** Reads the sensor. */
static void measure(const cbor_item *arguments, remembered_command *entry) {
  (void)arguments;
  cbor_writer writer = cbor_writer_over(entry->result, sizeof entry->result);
  cbor_put_map(&writer);
  telemetry_put_reading(&writer);
  cbor_put_end(&writer);
  entry->status = FINE;
  entry->result_length = (uint8_t)writer.length;
  entry->done = true;
}

static struct {
  remembered_command *entry;
  uint32_t begun_at;
  uint32_t takes_ms;
} calibration;

/** Takes its time, args { ? "ms": 0..60000 }. */
static void calibrate(const cbor_item *arguments, remembered_command *entry) {
  uint32_t takes_ms = 1000;
  cbor_item item;
  if (arguments != NULL && cbor_find(*arguments, "ms", &item) &&
      (!cbor_uint32(item, &takes_ms) || takes_ms > CALIBRATION_MOST_MS)) {
    refuse(entry, "ms: expected 0 to 60000");
    return;
  }
  calibration.entry = entry;
  calibration.begun_at = port_milliseconds();
  calibration.takes_ms = takes_ms;
}

void commands_poll(void) {
  if (calibration.entry == NULL || port_milliseconds() - calibration.begun_at < calibration.takes_ms) return;
  finish(calibration.entry, FINE, "ms", calibration.takes_ms);
  calibration.entry = NULL;
}

struct command {
  const char *name;
  execution *execute;
  bool takes_time;
};

static const command commands[] = {
    {"blink", blink, false},
    {"count", count, false},
    {"measure", measure, false},
    {"calibrate", calibrate, true},
};

#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

void commands_put_names(cbor_writer *writer) {
  for (size_t i = 0; i < COMMAND_COUNT; i++) cbor_put_text(writer, commands[i].name);
}

const command *command_find(bytes_view name) {
  for (size_t i = 0; i < COMMAND_COUNT; i++)
    if (bytes_equal_text(name, commands[i].name)) return &commands[i];
  return NULL;
}

bool command_must_wait(const command *which) { return which->takes_time && calibration.entry != NULL; }

void command_execute(const command *which, const cbor_item *arguments, remembered_command *entry) {
  statistics.commands_executed++;
  log_text("command ", which->name);
  which->execute(arguments, entry);
}
