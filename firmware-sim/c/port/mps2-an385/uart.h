#ifndef UART_H
#define UART_H

/** Starts UART 0 at 115200 baud; received bytes are kept by an interrupt until they are read. */
void uart_start(void);

/** Whether received bytes wait. */
int uart_has_received(void);

void uart_received_interrupt(void);

#endif
