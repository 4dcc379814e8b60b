/* Group 72: commands, each executed at most once. Statuses are those of HTTP. */
#include "boot-count.h"
#include "commands.h"
#include "groups.h"
#include "statistics.h"

static smp_outcome put_answer(const remembered_command *entry, cbor_writer *answer) {
  const bytes_view id = {entry->id, entry->id_length};
  const bytes_view result = {entry->result, entry->result_length};
  cbor_put_text(answer, "id");
  cbor_put_text_view(answer, id);
  if (!entry->done) return smp_ok();
  cbor_put_named_uint(answer, "status", entry->status);
  if (result.length > 0) {
    cbor_put_text(answer, "result");
    cbor_put_encoded(answer, result);
  }
  return smp_ok();
}

/** Nothing was executed, so there is nothing to remember. */
static smp_outcome put_not_found(bytes_view id, cbor_writer *answer) {
  cbor_put_text(answer, "id");
  cbor_put_text_view(answer, id);
  cbor_put_named_uint(answer, "status", 404);
  return smp_ok();
}

static smp_outcome execute(cbor_item request, cbor_writer *answer) {
  bytes_view id;
  bytes_view name;
  uint32_t boot;
  cbor_item arguments;
  if (!cbor_find_text(request, "id", 1, COMMAND_ID_BYTES, &id) || !cbor_find_uint32(request, "boot", &boot) ||
      !cbor_find_text(request, "name", 1, 64, &name)) {
    return smp_group_fault(SMP_INVALID);
  }
  /* What an earlier start executed is forgotten, so whether this would be the second time cannot be known. */
  if (boot != boot_count()) return smp_group_fault(SMP_BAD_STATE);
  remembered_command *entry = command_recall(id);
  if (entry != NULL) {
    statistics.commands_repeated++;
    return put_answer(entry, answer);
  }
  const command *const found = command_find(name);
  if (found == NULL) return put_not_found(id, answer);
  if (command_must_wait(found)) return smp_group_fault(SMP_BUSY);
  entry = command_remember(id);
  if (entry == NULL) return smp_group_fault(SMP_BUSY);
  command_execute(found, cbor_find(request, "args", &arguments) ? &arguments : NULL, entry);
  return put_answer(entry, answer);
}

static smp_outcome list(cbor_item request, cbor_writer *answer) {
  (void)request;
  cbor_put_text(answer, "names");
  cbor_put_array(answer);
  commands_put_names(answer);
  cbor_put_end(answer);
  return smp_ok();
}

static const smp_command commands[] = {{0, NULL, execute}, {1, list, NULL}};

const smp_group commands_group = {72, commands, sizeof commands / sizeof commands[0], NULL};
