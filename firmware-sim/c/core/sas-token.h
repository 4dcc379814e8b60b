/*
 * Shared access signatures for Azure IoT. The text that is signed is made here, from its parts: a gateway that holds
 * the wire can have tokens written, and no other text signed.
 */
#ifndef SAS_TOKEN_H
#define SAS_TOKEN_H

#include "bytes.h"

#define SAS_TOKEN_MAX_BYTES 512u

typedef struct {
  /** For the provisioning service; otherwise for a hub. */
  bool for_provisioning;
  /** The id scope, or the hub's host name. */
  bytes_view scope;
  /** Registration id, or device id at the hub. */
  bytes_view device;
  /** Seconds since 1970. */
  uint64_t expires_at;
} sas_request;

/** Writes the token, zero-terminated. False when it would be longer than SAS_TOKEN_MAX_BYTES. */
bool sas_token_write(const sas_request *request, char token[SAS_TOKEN_MAX_BYTES + 1]);

#endif
