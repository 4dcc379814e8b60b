#include "smp.h"

#include "console-frame.h"
#include "groups.h"
#include "statistics.h"
#include "telemetry.h"

struct statistics statistics;

static const smp_group *const groups[] = {
    &os_group,       &image_group,     &statistics_group, &settings_group,
    &identity_group, &telemetry_group, &commands_group,
};

#define GROUP_COUNT (sizeof groups / sizeof groups[0])

typedef struct {
  unsigned version;
  unsigned operation;
  uint16_t group;
  uint8_t sequence;
  uint8_t command;
} header;

void smp_put_header(uint8_t out[SMP_HEADER_BYTES], unsigned version, enum smp_operation operation, size_t length,
                    uint16_t group, uint8_t sequence, uint8_t command) {
  out[0] = (uint8_t)(version << 3 | (unsigned)operation);
  out[1] = 0;
  put_big_endian_16(out + 2, (uint16_t)length);
  put_big_endian_16(out + 4, group);
  out[6] = sequence;
  out[7] = command;
}

static bool take_header(bytes_view packet, header *out, bytes_view *map) {
  if (packet.length < SMP_HEADER_BYTES) return false;
  map->data = packet.data + SMP_HEADER_BYTES;
  map->length = packet.length - SMP_HEADER_BYTES;
  /* Whoever asks in a version that is not known yet is answered in the newest that is. */
  const unsigned version = packet.data[0] >> 3 & 3u;
  out->version = version > 1 ? 1 : version;
  out->operation = packet.data[0] & 7u;
  out->group = big_endian_16(packet.data + 4);
  out->sequence = packet.data[6];
  out->command = packet.data[7];
  return big_endian_16(packet.data + 2) == map->length;
}

static const smp_group *group_of(uint16_t id) {
  for (size_t i = 0; i < GROUP_COUNT; i++)
    if (groups[i]->id == id) return groups[i];
  return NULL;
}

static smp_handler *handler_of(const smp_group *group, const header *request) {
  for (size_t i = 0; group != NULL && i < group->command_count; i++) {
    const smp_command *command = &group->commands[i];
    if (command->id == request->command) return request->operation == SMP_READ ? command->read : command->write;
  }
  return NULL;
}

static smp_outcome execute(const smp_group *group, const header *request, bytes_view map, cbor_writer *answer) {
  smp_handler *const handler = handler_of(group, request);
  if (handler == NULL) return smp_fault(SMP_NOT_SUPPORTED);
  /* Some clients send no map at all where there is nothing to say. */
  static const uint8_t empty[] = {0xa0};
  const bytes_view nothing = {empty, sizeof empty};
  cbor_item item;
  if (!cbor_well_formed(map.length == 0 ? nothing : map, &item) || !cbor_is_map(item)) return smp_fault(SMP_INVALID);
  const smp_outcome outcome = handler(item, answer);
  return outcome.code == SMP_OK && answer->overflowed ? smp_fault(SMP_TOO_LARGE) : outcome;
}

static void put_fault(const smp_group *group, unsigned version, smp_outcome fault, cbor_writer *answer) {
  statistics.faults_answered++;
  if (!fault.of_group || version == 0) {
    const bool same = !fault.of_group || group->translate == NULL;
    cbor_put_named_uint(answer, "rc", same ? fault.code : (uint64_t)group->translate(fault.code));
    return;
  }
  cbor_put_text(answer, "err");
  cbor_put_map(answer);
  cbor_put_named_uint(answer, "group", group->id);
  cbor_put_named_uint(answer, "rc", fault.code);
  cbor_put_end(answer);
}

static bytes_view answer_to(const header *request, bytes_view map) {
  static uint8_t packet[CONSOLE_PACKET_BYTES];
  const smp_group *const group = group_of(request->group);
  /* One byte stays free for the end of the map. */
  cbor_writer answer = cbor_writer_over(packet + SMP_HEADER_BYTES, sizeof packet - SMP_HEADER_BYTES - 1);
  cbor_put_map(&answer);
  const smp_outcome outcome = execute(group, request, map, &answer);
  if (outcome.code != SMP_OK) {
    answer = cbor_writer_over(answer.buffer, answer.capacity);
    cbor_put_map(&answer);
    put_fault(group, request->version, outcome, &answer);
  }
  answer.capacity++;
  cbor_put_end(&answer);
  smp_put_header(packet, request->version, (enum smp_operation)(request->operation | 1u), answer.length, request->group,
                 request->sequence, request->command);
  const bytes_view whole = {packet, SMP_HEADER_BYTES + answer.length};
  return whole;
}

bool smp_take(bytes_view packet, bytes_view *answer) {
  header message;
  bytes_view map;
  if (!take_header(packet, &message, &map)) {
    statistics.frames_dropped++;
    return false;
  }
  statistics.packets_received++;
  if (message.operation == SMP_WRITE_ANSWER && message.group == TELEMETRY_GROUP_ID &&
      message.command == TELEMETRY_MESSAGE_ID) {
    cbor_item item;
    if (cbor_well_formed(map, &item)) telemetry_answered(message.sequence, item);
    return false;
  }
  if (message.operation != SMP_READ && message.operation != SMP_WRITE) return false;
  *answer = answer_to(&message, map);
  return true;
}
