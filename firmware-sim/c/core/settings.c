#include "settings.h"

#include "log.h"
#include "record-store.h"

enum kind { NUMBER, TRUTH, WORDS };

typedef struct {
  const char *name;
  enum kind kind;
  /* Of a number its range, of a text its lengths in bytes. */
  int32_t least;
  int32_t most;
  int32_t initially;
} definition;

static const definition definitions[SETTING_COUNT] = {
    [SETTING_SAMPLING_PERIOD_MS] = {"sampling/period_ms", NUMBER, 100, 3600000, 5000},
    [SETTING_SENSOR_SEED] = {"sensor/seed", NUMBER, 1, INT32_MAX, 1},
    /* Hundredths of a degree. */
    [SETTING_SENSOR_OFFSET] = {"sensor/offset", NUMBER, -1000, 1000, 0},
    /* Percent. */
    [SETTING_LED_BRIGHTNESS] = {"led/brightness", NUMBER, 0, 100, 50},
    [SETTING_ALARM] = {"alarm", TRUTH, 0, 1, 0},
    [SETTING_LABEL] = {"label", WORDS, 0, SETTING_TEXT_BYTES, 0},
};

typedef struct {
  int32_t number;
  uint8_t length;
  uint8_t text[SETTING_TEXT_BYTES];
} value;

static value effective[SETTING_COUNT];
static value draft[SETTING_COUNT];

enum setting_id setting_of(bytes_view name) {
  unsigned id = 0;
  while (id < SETTING_COUNT && !bytes_equal_text(name, definitions[id].name)) id++;
  return (enum setting_id)id;
}

bool setting_draft(enum setting_id id, cbor_item item) {
  const definition *const of = &definitions[id];
  value taken = {0};
  if (of->kind == WORDS) {
    bytes_view text;
    if (!cbor_text(item, &text) || text.length > (size_t)of->most) return false;
    taken.length = (uint8_t)text.length;
    memcpy(taken.text, text.data, text.length);
  } else if (of->kind == TRUTH) {
    bool truth;
    if (!cbor_bool(item, &truth)) return false;
    taken.number = truth;
  } else if (!cbor_int32(item, &taken.number) || taken.number < of->least || taken.number > of->most) {
    return false;
  }
  draft[id] = taken;
  return true;
}

void setting_draft_default(enum setting_id id) {
  draft[id] = (value){0};
  draft[id].number = definitions[id].initially;
}

static void put(const value *of, enum kind kind, cbor_writer *writer) {
  const bytes_view text = {of->text, of->length};
  if (kind == WORDS) cbor_put_text_view(writer, text);
  else if (kind == TRUTH) cbor_put_bool(writer, of->number != 0);
  else cbor_put_int(writer, of->number);
}

bool settings_commit(void) {
  uint8_t record[RECORD_MAX_BYTES];
  cbor_writer writer = cbor_writer_over(record, sizeof record);
  cbor_put_map(&writer);
  for (unsigned id = 0; id < SETTING_COUNT; id++) {
    cbor_put_text(&writer, definitions[id].name);
    put(&draft[id], definitions[id].kind, &writer);
  }
  cbor_put_end(&writer);
  if (writer.overflowed || !record_write(RECORD_SETTINGS, record, writer.length)) return false;
  memcpy(effective, draft, sizeof effective);
  log_line("settings committed");
  return true;
}

void settings_load(void) {
  uint8_t record[RECORD_MAX_BYTES];
  bytes_view bytes = {record, 0};
  cbor_item map;
  const bool found = record_read(RECORD_SETTINGS, record, sizeof record, &bytes.length) &&
                     cbor_well_formed(bytes, &map);
  for (unsigned id = 0; id < SETTING_COUNT; id++) {
    cbor_item item;
    setting_draft_default((enum setting_id)id);
    /* An older firmware may have known other ranges: its value then gives way to the default. */
    if (found && cbor_find(map, definitions[id].name, &item)) setting_draft((enum setting_id)id, item);
  }
  memcpy(effective, draft, sizeof effective);
}

void setting_put(enum setting_id id, cbor_writer *writer) { put(&effective[id], definitions[id].kind, writer); }

int32_t setting_number(enum setting_id id) { return effective[id].number; }
