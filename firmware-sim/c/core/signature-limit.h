#ifndef SIGNATURE_LIMIT_H
#define SIGNATURE_LIMIT_H

#include <stdbool.h>

/** Signatures per minute: what handshakes need, and not what a search for weaknesses needs. */
#define SIGNATURES_PER_MINUTE 10u

/** Takes one from the allowance, which fills up evenly again; false when it is used up. */
bool signature_allowed(void);

#endif
