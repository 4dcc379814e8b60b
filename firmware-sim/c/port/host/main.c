/* The firmware as a program: landfall-mcu --flash FILE (--pty | --socket PATH) */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../boot/start.h"
#include "../port.h"
#include "flash-file.h"
#include "host-uart.h"

const char port_board[] = "host";
const char port_processor[] = "host";

static char **arguments;
static struct timespec started;

uint32_t port_milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const int64_t seconds = (int64_t)now.tv_sec - (int64_t)started.tv_sec;
  return (uint32_t)(seconds * 1000 + (now.tv_nsec - started.tv_nsec) / 1000000);
}

/** The program begins anew, as a processor does: nothing of its memory lasts, and the line stays up. */
void port_reset(void) {
  host_uart_bequeath();
  execv("/proc/self/exe", arguments);
  perror("landfall-mcu: reset");
  exit(1);
}

static const char *value_of(int count, char **words, const char *option) {
  for (int i = 1; i + 1 < count; i++)
    if (strcmp(words[i], option) == 0) return words[i + 1];
  return NULL;
}

static bool has(int count, char **words, const char *option) {
  for (int i = 1; i < count; i++)
    if (strcmp(words[i], option) == 0) return true;
  return false;
}

int main(int count, char **words) {
  const char *const flash = value_of(count, words, "--flash");
  const char *const socket = value_of(count, words, "--socket");
  arguments = words;
  clock_gettime(CLOCK_MONOTONIC, &started);
  /* A peer that goes is no reason to end. */
  signal(SIGPIPE, SIG_IGN);
  if (flash == NULL || (socket == NULL && !has(count, words, "--pty"))) {
    fprintf(stderr, "usage: landfall-mcu --flash FILE (--pty | --socket PATH)\n");
    return 2;
  }
  if (!flash_file_open(flash)) {
    perror(flash);
    return 1;
  }
  if (!host_uart_adopt() && !(socket == NULL ? host_uart_open_pty() : host_uart_open_socket(socket))) {
    perror("landfall-mcu: uart");
    return 1;
  }
  start_from_reset();
  return 0;
}
