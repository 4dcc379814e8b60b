/*
 * Who the device is, and the only way to its keys: nothing here gives a key away. A board with a secure element
 * replaces identity-page.c.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "bytes.h"

#define IDENTITY_MAC_BYTES 32u
#define IDENTITY_DIGEST_BYTES 32u
#define IDENTITY_SIGNATURE_MAX_BYTES 72u

/** Reads the identity; without one the device is "unprovisioned" and signs nothing. */
void identity_load(void);

bytes_view identity_registration_id(void);

/** The longest life of a token, in seconds. */
uint32_t identity_token_life(void);

bool identity_has_symmetric_key(void);
bool identity_has_p256_key(void);

/** HMAC-SHA-256 of a text under the symmetric key. */
bool identity_authenticate(bytes_view text, uint8_t mac[IDENTITY_MAC_BYTES]);

/** ECDSA over a SHA-256 digest with the P-256 key, DER; the nonce is RFC 6979's. Gives the length, 0 without a key. */
size_t identity_sign(const uint8_t digest[IDENTITY_DIGEST_BYTES], uint8_t signature[IDENTITY_SIGNATURE_MAX_BYTES]);

/** Length of the certificate chain, DER; 0 when there is none. */
uint32_t identity_certificate_length(void);

/** Reads a piece of the chain, which must lie within it. */
bool identity_certificate_read(uint32_t offset, uint8_t *bytes, size_t length);

#endif
