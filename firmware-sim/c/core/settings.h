/*
 * The settings: a fixed list, each with a range and a default. A write changes the draft; commit checks nothing more,
 * writes the draft as one record, so that power cannot cut it in two, and puts it into effect.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "cbor-reader.h"
#include "cbor-writer.h"

enum setting_id {
  SETTING_SAMPLING_PERIOD_MS,
  SETTING_SENSOR_SEED,
  SETTING_SENSOR_OFFSET,
  SETTING_LED_BRIGHTNESS,
  SETTING_ALARM,
  SETTING_LABEL,
  SETTING_COUNT
};

#define SETTING_TEXT_BYTES 32u

/** The setting of a name; SETTING_COUNT when there is none. */
enum setting_id setting_of(bytes_view name);

/** Takes a value into the draft. False when it is of another kind or out of range. */
bool setting_draft(enum setting_id id, cbor_item value);

/** Puts the default into the draft. */
void setting_draft_default(enum setting_id id);

/** Writes the draft to flash and puts it into effect. False when the flash refused: then nothing changed. */
bool settings_commit(void);

/** Reads what was committed last; the draft is as it then. */
void settings_load(void);

/** The value in effect, as CBOR. */
void setting_put(enum setting_id id, cbor_writer *writer);

/** The value in effect of a setting that is a number. */
int32_t setting_number(enum setting_id id);

#endif
