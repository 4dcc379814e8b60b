/* The commands themselves: what a product would replace by its own. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "cbor-reader.h"
#include "cbor-writer.h"
#include "command-memory.h"

/** Puts the names of the commands into an array. */
void commands_put_names(cbor_writer *writer);

bool command_exists(bytes_view name);

/** Whether a command that takes its time is at work and another such one must wait. */
bool command_must_wait(bytes_view name);

/** Executes a command, at once or by beginning it. `arguments` is NULL where there are none. */
void command_execute(bytes_view name, const cbor_item *arguments, remembered_command *entry);

/** Ends what has had its time. */
void commands_poll(void);

#endif
