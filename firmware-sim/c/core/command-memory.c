#include "command-memory.h"

static remembered_command memory[COMMANDS_REMEMBERED];
/** Where the next command goes: behind the newest, which is where the oldest is. */
static size_t next;

remembered_command *command_recall(bytes_view id) {
  for (size_t i = 0; i < COMMANDS_REMEMBERED; i++) {
    const bytes_view known = {memory[i].id, memory[i].id_length};
    if (known.length > 0 && bytes_equal(known, id)) return &memory[i];
  }
  return NULL;
}

remembered_command *command_remember(bytes_view id) {
  for (size_t i = 0; i < COMMANDS_REMEMBERED; i++) {
    remembered_command *const entry = &memory[next];
    next = (next + 1) % COMMANDS_REMEMBERED;
    if (entry->id_length > 0 && !entry->done) continue;
    *entry = (remembered_command){0};
    entry->id_length = (uint8_t)id.length;
    memcpy(entry->id, id.data, id.length);
    return entry;
  }
  return NULL;
}
