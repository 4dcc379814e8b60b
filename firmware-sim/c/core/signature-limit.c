#include "signature-limit.h"

#include "../port/port.h"

#define REFILL_MS (60000u / SIGNATURES_PER_MINUTE)

static uint32_t used;
static uint32_t refilled_at;

bool signature_allowed(void) {
  const uint32_t now = port_milliseconds();
  const uint32_t refills = (now - refilled_at) / REFILL_MS;
  if (refills >= used) {
    used = 0;
    refilled_at = now;
  } else {
    used -= refills;
    refilled_at += refills * REFILL_MS;
  }
  if (used == SIGNATURES_PER_MINUTE) return false;
  used++;
  return true;
}
