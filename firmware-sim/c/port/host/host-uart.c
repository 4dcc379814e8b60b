#include "host-uart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "../port.h"

#define NONE (-1)
#define BEQUEST "LANDFALL_MCU_UART"
/** A peer that takes nothing for so long is not there. */
#define PATIENCE_MS 1000

static int line = NONE;
static int listener = NONE;
static bool nobody_reads;

static void say_where(const char *path) {
  printf("uart %s\n", path);
  fflush(stdout);
}

static bool do_not_block(int descriptor) {
  return fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) == 0;
}

/** Opens the other end as well, for good: while it is closed, the line would count as hung up. */
static bool hold_open_raw(const char *path) {
  struct termios settings;
  const int other_end = open(path, O_RDWR | O_NOCTTY);
  if (other_end < 0 || tcgetattr(other_end, &settings) != 0) return false;
  settings.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
  settings.c_oflag &= ~(tcflag_t)OPOST;
  settings.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
  settings.c_cflag = (settings.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
  return tcsetattr(other_end, TCSANOW, &settings) == 0;
}

bool host_uart_open_pty(void) {
  line = posix_openpt(O_RDWR | O_NOCTTY);
  if (line < 0 || grantpt(line) != 0 || unlockpt(line) != 0) return false;
  const char *const path = ptsname(line);
  if (path == NULL || !hold_open_raw(path) || !do_not_block(line)) return false;
  say_where(path);
  return true;
}

static void accept_peer(int timeout_ms) {
  struct pollfd waiting = {listener, POLLIN, 0};
  if (poll(&waiting, 1, timeout_ms) <= 0) return;
  line = accept(listener, NULL, NULL);
  nobody_reads = false;
  if (line >= 0) do_not_block(line);
}

bool host_uart_open_socket(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return false;
  memcpy(address.sun_path, path, strlen(path) + 1);
  listener = socket(AF_UNIX, SOCK_STREAM, 0);
  unlink(path);
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0) return false;
  if (listen(listener, 1) != 0) return false;
  say_where(path);
  while (line == NONE) accept_peer(-1);
  return true;
}

bool host_uart_adopt(void) {
  const char *const bequest = getenv(BEQUEST);
  return bequest != NULL && sscanf(bequest, "%d,%d", &line, &listener) == 2;
}

void host_uart_bequeath(void) {
  char descriptors[32];
  snprintf(descriptors, sizeof descriptors, "%d,%d", line, listener);
  setenv(BEQUEST, descriptors, 1);
}

/** A socket's peer may go and another come; a pseudo-terminal stays. */
static void hang_up(void) {
  if (listener == NONE) return;
  close(line);
  line = NONE;
}

size_t port_uart_read(uint8_t *bytes, size_t capacity) {
  if (line == NONE) return 0;
  const ssize_t count = read(line, bytes, capacity);
  if (count > 0) return (size_t)count;
  if (count == 0 || (errno != EAGAIN && errno != EINTR)) hang_up();
  return 0;
}

void port_uart_write(const uint8_t *bytes, size_t length) {
  while (length > 0 && line != NONE) {
    struct pollfd ready = {line, POLLOUT, 0};
    if (poll(&ready, 1, nobody_reads ? 0 : PATIENCE_MS) <= 0) {
      nobody_reads = true;
      return;
    }
    nobody_reads = false;
    const ssize_t count = write(line, bytes, length);
    if (count < 0 && errno != EAGAIN && errno != EINTR) {
      hang_up();
      return;
    }
    if (count > 0) {
      bytes += count;
      length -= (size_t)count;
    }
  }
}

void port_idle(uint32_t milliseconds) {
  if (line == NONE) {
    accept_peer((int)milliseconds);
    return;
  }
  struct pollfd ready = {line, POLLIN, 0};
  poll(&ready, 1, (int)milliseconds);
}
