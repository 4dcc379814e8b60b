/* The UART of a firmware that is a program: a pseudo-terminal, or a Unix socket that takes one peer at a time. */
#ifndef HOST_UART_H
#define HOST_UART_H

#include <stdbool.h>

/** Opens a pseudo-terminal and prints "uart PATH" on stdout. */
bool host_uart_open_pty(void);

/** Listens at `path`, prints "uart PATH" on stdout, and waits for the first peer, so that it sees the first line. */
bool host_uart_open_socket(const char *path);

/** Takes up the UART of the run before this one, after a reset; false in the first run. */
bool host_uart_adopt(void);

/** Hands the UART on to the next run. */
void host_uart_bequeath(void);

#endif
