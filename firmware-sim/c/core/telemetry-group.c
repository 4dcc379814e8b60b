/* Group 71: whether messages are pushed. */
#include "boot-count.h"
#include "groups.h"
#include "log.h"
#include "telemetry.h"

static smp_outcome allow(cbor_item request, cbor_writer *answer) {
  bool on;
  if (!cbor_find_bool(request, "on", &on)) return smp_group_fault(SMP_INVALID);
  telemetry_allow(on);
  log_line(on ? "telemetry on" : "telemetry off");
  cbor_put_named_uint(answer, "boot", boot_count());
  return smp_ok();
}

static const smp_command commands[] = {{0, NULL, allow}};

const smp_group telemetry_group = {TELEMETRY_GROUP_ID, commands, sizeof commands / sizeof commands[0], NULL};
