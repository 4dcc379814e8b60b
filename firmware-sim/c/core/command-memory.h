/*
 * Remembers what the last commands came to, so that one that is asked for twice is executed once. The memory holds
 * COMMANDS_REMEMBERED of them; the oldest that is done makes room.
 */
#ifndef COMMAND_MEMORY_H
#define COMMAND_MEMORY_H

#include "bytes.h"

#define COMMANDS_REMEMBERED 32u
#define COMMAND_ID_BYTES 36u
#define COMMAND_RESULT_BYTES 96u

typedef struct {
  uint8_t id_length;
  uint8_t id[COMMAND_ID_BYTES];
  bool done;
  uint16_t status;
  /** The result as CBOR; empty where there is none. */
  uint8_t result_length;
  uint8_t result[COMMAND_RESULT_BYTES];
} remembered_command;

/** The command of an id, or NULL. */
remembered_command *command_recall(bytes_view id);

/** A new entry for an id of 1 to COMMAND_ID_BYTES; NULL while every entry is at work. */
remembered_command *command_remember(bytes_view id);

#endif
