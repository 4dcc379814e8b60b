/* Group 3: settings by name, whose values are one CBOR item each. */
#include "groups.h"
#include "settings.h"

#define VALUE_BYTES 64u

static bool find_setting(cbor_item request, enum setting_id *id, smp_outcome *fault) {
  bytes_view name;
  if (!cbor_find_text(request, "name", 1, 64, &name)) {
    *fault = smp_group_fault(SMP_INVALID);
    return false;
  }
  *id = setting_of(name);
  *fault = smp_group_fault(SMP_NO_ENTRY);
  return *id != SETTING_COUNT;
}

static smp_outcome read_value(cbor_item request, cbor_writer *answer) {
  enum setting_id id;
  smp_outcome fault;
  if (!find_setting(request, &id, &fault)) return fault;
  uint8_t bytes[VALUE_BYTES];
  cbor_writer value = cbor_writer_over(bytes, sizeof bytes);
  setting_put(id, &value);
  cbor_put_text(answer, "val");
  cbor_put_bytes(answer, cbor_written(&value));
  return smp_ok();
}

static smp_outcome write_value(cbor_item request, cbor_writer *answer) {
  (void)answer;
  enum setting_id id;
  smp_outcome fault;
  bytes_view bytes;
  cbor_item value;
  if (!find_setting(request, &id, &fault)) return fault;
  if (!cbor_find_bytes(request, "val", 1, VALUE_BYTES, &bytes) || !cbor_well_formed(bytes, &value) ||
      !setting_draft(id, value)) {
    return smp_group_fault(SMP_INVALID);
  }
  return smp_ok();
}

static smp_outcome delete_value(cbor_item request, cbor_writer *answer) {
  (void)answer;
  enum setting_id id;
  smp_outcome fault;
  if (!find_setting(request, &id, &fault)) return fault;
  setting_draft_default(id);
  return smp_ok();
}

static smp_outcome commit(cbor_item request, cbor_writer *answer) {
  (void)request;
  (void)answer;
  return settings_commit() ? smp_ok() : smp_group_fault(SMP_UNKNOWN);
}

static smp_outcome load(cbor_item request, cbor_writer *answer) {
  (void)request;
  (void)answer;
  settings_load();
  return smp_ok();
}

/* What is in effect was saved by the commit that put it there. */
static smp_outcome save(cbor_item request, cbor_writer *answer) {
  (void)request;
  (void)answer;
  return smp_ok();
}

static const smp_command commands[] = {
    {0, read_value, write_value},
    {1, NULL, delete_value},
    {2, NULL, commit},
    {3, load, save},
};

const smp_group settings_group = {3, commands, sizeof commands / sizeof commands[0], NULL};
