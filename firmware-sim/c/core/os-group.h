#ifndef OS_GROUP_H
#define OS_GROUP_H

#include <stdbool.h>

/** Whether the gateway asked for a reset, which is done once it has its answer. */
bool reset_is_requested(void);

#endif
