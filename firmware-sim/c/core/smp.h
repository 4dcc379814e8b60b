/*
 * SMP: a header of 8 bytes, then one CBOR map. Byte 0 holds version and operation, 2-3 the length of the map, 4-5 the
 * group, 6 the sequence number that the answer echoes, 7 the command.
 */
#ifndef SMP_H
#define SMP_H

#include "cbor-reader.h"
#include "cbor-writer.h"

#define SMP_HEADER_BYTES 8u

enum smp_operation { SMP_READ = 0, SMP_READ_ANSWER = 1, SMP_WRITE = 2, SMP_WRITE_ANSWER = 3 };

/** Codes of SMP itself, which the groups from 70 on and the settings use for their own faults as well. */
enum smp_code {
  SMP_OK = 0,
  SMP_UNKNOWN = 1,
  SMP_INVALID = 3,
  SMP_NO_ENTRY = 5,
  SMP_BAD_STATE = 6,
  SMP_TOO_LARGE = 7,
  SMP_NOT_SUPPORTED = 8,
  SMP_BUSY = 10
};

/** What a command came to: fine, a fault of its group, or a fault of SMP itself, which is answered without a group. */
typedef struct {
  bool of_group;
  uint8_t code;
} smp_outcome;

static inline smp_outcome smp_ok(void) {
  const smp_outcome outcome = {false, SMP_OK};
  return outcome;
}

static inline smp_outcome smp_group_fault(unsigned code) {
  const smp_outcome outcome = {true, (uint8_t)code};
  return outcome;
}

static inline smp_outcome smp_fault(enum smp_code code) {
  const smp_outcome outcome = {false, (uint8_t)code};
  return outcome;
}

/** Executes a command: reads `request`, a map, and puts names and values into `answer`, whose map is open already. */
typedef smp_outcome smp_handler(cbor_item request, cbor_writer *answer);

typedef struct {
  uint8_t id;
  smp_handler *read;
  smp_handler *write;
} smp_command;

typedef struct {
  uint16_t id;
  const smp_command *commands;
  size_t command_count;
  /** The group's own code as version 1 knows it; NULL where they are the same. */
  enum smp_code (*translate)(uint8_t code);
} smp_group;

/** Takes a packet from the gateway. True when `answer` is to be sent; it lives until the next packet is taken. */
bool smp_take(bytes_view packet, bytes_view *answer);

/** Writes the header of a packet whose map has `length` bytes. */
void smp_put_header(uint8_t header[SMP_HEADER_BYTES], unsigned version, enum smp_operation operation, size_t length,
                    uint16_t group, uint8_t sequence, uint8_t command);

#endif
