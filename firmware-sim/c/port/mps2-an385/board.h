/* Registers of the Cortex-M3 and numbers of the board. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define CLOCK_HZ 25000000u
#define UART0_RECEIVE_INTERRUPT 0u

#define SYSTICK_CONTROL REGISTER(0xe000e010u)
#define SYSTICK_RELOAD REGISTER(0xe000e014u)
#define SYSTICK_VALUE REGISTER(0xe000e018u)
#define INTERRUPT_ENABLE REGISTER(0xe000e100u)
#define RESET_CONTROL REGISTER(0xe000ed0cu)

#define SYSTICK_RUN_WITH_INTERRUPT 7u
#define RESET_REQUEST 0x05fa0004u

#endif
