/*
 * Messages for the hub, pushed once the gateway allowed it. One is under way at a time: it is said again until it is
 * answered, and only then is the sensor asked for the next one.
 */
#ifndef TELEMETRY_H
#define TELEMETRY_H

#include "cbor-reader.h"
#include "cbor-writer.h"

/** Allows pushing, or stops it. A message under way stays so, and is said again when pushing is allowed again. */
void telemetry_allow(bool allowed);

/** Takes the gateway's answer to a message, which came under `sequence`. */
void telemetry_answered(uint8_t sequence, cbor_item answer);

/** Sends what is due. */
void telemetry_poll(void);

/** Puts a reading's names and values into a map. */
void telemetry_put_reading(cbor_writer *writer);

#endif
