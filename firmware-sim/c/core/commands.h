/* The commands themselves: what a product would replace by its own. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "cbor-reader.h"
#include "cbor-writer.h"
#include "command-memory.h"

/** Puts the names of the commands into an array. */
void commands_put_names(cbor_writer *writer);

typedef struct command command;

/** The command of a name, or NULL. */
const command *command_find(bytes_view name);

/** Whether a command takes its time, and another such one is at work. */
bool command_must_wait(const command *which);

/** Executes a command, at once or by beginning it. `arguments` is NULL where there are none. */
void command_execute(const command *which, const cbor_item *arguments, remembered_command *entry);

/** Ends what has had its time. */
void commands_poll(void);

#endif
