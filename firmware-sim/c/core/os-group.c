/* Group 0: echo, reset, sizes, and what runs here. */
#include "os-group.h"

#include "../port/port.h"
#include "console-frame.h"
#include "groups.h"
#include "identity.h"
#include "log.h"
#include "text.h"

/* Codes of this group. */
enum { OS_BAD_FORMAT = 2, OS_NO_ANSWER = 3 };

static bool reset_requested;

bool reset_is_requested(void) { return reset_requested; }

static smp_outcome echo(cbor_item request, cbor_writer *answer) {
  bytes_view text;
  if (!cbor_find_text(request, "d", 0, CONSOLE_PACKET_BYTES, &text)) return smp_fault(SMP_INVALID);
  cbor_put_text(answer, "r");
  cbor_put_text_view(answer, text);
  return smp_ok();
}

static smp_outcome reset(cbor_item request, cbor_writer *answer) {
  (void)request;
  (void)answer;
  reset_requested = true;
  log_line("reset asked for");
  return smp_ok();
}

static smp_outcome params(cbor_item request, cbor_writer *answer) {
  (void)request;
  cbor_put_named_uint(answer, "buf_size", CONSOLE_BUFFER_BYTES);
  cbor_put_named_uint(answer, "buf_count", 1);
  return smp_ok();
}

static void put_running_version(text_builder *text) {
  image_file running;
  if (image_file_read(0, &running) == IMAGE_OK) text_put_version(text, running.header.version);
  else text_put(text, "unknown");
}

/** One part of the information, by the letter that asks for it. */
static bool put_information(text_builder *text, char letter) {
  switch (letter) {
    case 's':
      text_put(text, "landfall-mcu");
      return true;
    case 'n':
      text_put_view(text, identity_registration_id());
      return true;
    case 'r':
    case 'v':
      put_running_version(text);
      return true;
    case 'm':
    case 'p':
      text_put(text, port_processor);
      return true;
    case 'i':
      text_put(text, port_board);
      return true;
    case 'o':
      text_put(text, "bare-metal");
      return true;
    default:
      return false;
  }
}

static smp_outcome information(cbor_item request, cbor_writer *answer) {
  static const char all[] = "snrvmpio";
  bytes_view format = text_view("s");
  cbor_item item;
  if (cbor_find(request, "format", &item) && !cbor_text(item, &format)) return smp_fault(SMP_INVALID);
  if (bytes_equal_text(format, "a")) format = text_view(all);
  char output[320];
  text_builder text = text_builder_over(output, sizeof output);
  for (size_t i = 0; i < format.length; i++) {
    if (i > 0) text_put(&text, " ");
    if (!put_information(&text, (char)format.data[i]) || text.cut) return smp_group_fault(OS_BAD_FORMAT);
  }
  cbor_put_named_text(answer, "output", output);
  return smp_ok();
}

static smp_outcome bootloader_information(cbor_item request, cbor_writer *answer) {
  cbor_item item;
  bytes_view query;
  if (!cbor_find(request, "query", &item)) {
    cbor_put_named_text(answer, "bootloader", "MCUboot");
    return smp_ok();
  }
  if (!cbor_text(item, &query)) return smp_fault(SMP_INVALID);
  if (!bytes_equal_text(query, "mode")) return smp_group_fault(OS_NO_ANSWER);
  /* Images change places by way of a scratch sector. */
  cbor_put_named_uint(answer, "mode", 1);
  return smp_ok();
}

static enum smp_code translate(uint8_t code) { return code == OS_BAD_FORMAT ? SMP_INVALID : SMP_NO_ENTRY; }

static const smp_command commands[] = {
    {0, echo, echo},          {5, NULL, reset},
    {6, params, NULL},        {7, information, NULL},
    {8, bootloader_information, NULL},
};

const smp_group os_group = {0, commands, sizeof commands / sizeof commands[0], translate};
