/* Group 2: what was counted since the start. */
#include "groups.h"
#include "statistics.h"

/* Code of this group. */
enum { NO_SUCH_STATISTIC = 3 };

typedef struct {
  const char *name;
  const uint32_t *value;
} counter;

typedef struct {
  const char *name;
  const counter *counters;
  size_t count;
} counters;

static const counter link_counters[] = {
    {"received", &statistics.packets_received},
    {"sent", &statistics.packets_sent},
    {"dropped", &statistics.frames_dropped},
    {"faults", &statistics.faults_answered},
};

static const counter telemetry_counters[] = {
    {"sent", &statistics.telemetry_sent},
    {"repeated", &statistics.telemetry_repeated},
    {"answered", &statistics.telemetry_answered},
    {"refused", &statistics.telemetry_refused},
};

static const counter command_counters[] = {
    {"executed", &statistics.commands_executed},
    {"repeated", &statistics.commands_repeated},
};

static const counter identity_counters[] = {
    {"tokens", &statistics.tokens_signed},
    {"signatures", &statistics.digests_signed},
    {"refused", &statistics.signatures_refused},
};

#define COUNTERS(name, list) {name, list, sizeof(list) / sizeof((list)[0])}

static const counters all[] = {
    COUNTERS("link", link_counters),
    COUNTERS("telemetry", telemetry_counters),
    COUNTERS("commands", command_counters),
    COUNTERS("identity", identity_counters),
};

#define ALL_COUNT (sizeof all / sizeof all[0])

static smp_outcome read_one(cbor_item request, cbor_writer *answer) {
  bytes_view name;
  if (!cbor_find_text(request, "name", 0, 64, &name)) return smp_fault(SMP_INVALID);
  for (size_t i = 0; i < ALL_COUNT; i++) {
    if (!bytes_equal_text(name, all[i].name)) continue;
    cbor_put_named_text(answer, "name", all[i].name);
    cbor_put_text(answer, "fields");
    cbor_put_map(answer);
    for (size_t k = 0; k < all[i].count; k++) {
      cbor_put_named_uint(answer, all[i].counters[k].name, *all[i].counters[k].value);
    }
    cbor_put_end(answer);
    return smp_ok();
  }
  return smp_group_fault(NO_SUCH_STATISTIC);
}

static smp_outcome list(cbor_item request, cbor_writer *answer) {
  (void)request;
  cbor_put_text(answer, "stat_list");
  cbor_put_array(answer);
  for (size_t i = 0; i < ALL_COUNT; i++) cbor_put_text(answer, all[i].name);
  cbor_put_end(answer);
  return smp_ok();
}

static enum smp_code translate(uint8_t code) { return code == NO_SUCH_STATISTIC ? SMP_NO_ENTRY : SMP_UNKNOWN; }

static const smp_command commands[] = {{0, read_one, NULL}, {1, list, NULL}};

const smp_group statistics_group = {2, commands, sizeof commands / sizeof commands[0], translate};
