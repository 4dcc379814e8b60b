#include "log.h"

#include "../port/port.h"
#include "text.h"

static void write_line(const text_builder *line) {
  port_uart_write((const uint8_t *)line->text, line->length);
  port_uart_write((const uint8_t *)"\r\n", 2);
}

/** "[12.345] ": the time since the start, in seconds. */
static text_builder begin_line(char *buffer, size_t capacity) {
  text_builder line = text_builder_over(buffer, capacity);
  const uint32_t now_ms = port_milliseconds();
  const uint32_t thousandths = now_ms % 1000;
  text_put(&line, "[");
  text_put_uint(&line, now_ms / 1000);
  text_put(&line, thousandths < 10 ? ".00" : thousandths < 100 ? ".0" : ".");
  text_put_uint(&line, thousandths);
  text_put(&line, "] ");
  return line;
}

void log_line(const char *text) { log_text(text, ""); }

void log_text(const char *text, const char *more) {
  char buffer[120];
  text_builder line = begin_line(buffer, sizeof buffer);
  text_put(&line, text);
  text_put(&line, more);
  write_line(&line);
}

void log_number(const char *text, uint64_t number) {
  char buffer[120];
  text_builder line = begin_line(buffer, sizeof buffer);
  text_put(&line, text);
  text_put_uint(&line, number);
  write_line(&line);
}
