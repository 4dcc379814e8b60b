/* Lines for whoever watches the console. They go out between frames, never inside one. */
#ifndef LOG_H
#define LOG_H

#include <stdint.h>

void log_line(const char *text);
void log_number(const char *text, uint64_t number);
void log_text(const char *text, const char *more);

#endif
