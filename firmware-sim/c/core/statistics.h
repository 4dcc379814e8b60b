/* What the firmware counts; the statistics group shows it. */
#ifndef STATISTICS_H
#define STATISTICS_H

#include <stdint.h>

struct statistics {
  uint32_t packets_received;
  uint32_t packets_sent;
  uint32_t frames_dropped;
  uint32_t faults_answered;
  uint32_t telemetry_sent;
  uint32_t telemetry_repeated;
  uint32_t telemetry_answered;
  uint32_t telemetry_refused;
  uint32_t commands_executed;
  uint32_t commands_repeated;
  uint32_t tokens_signed;
  uint32_t digests_signed;
  uint32_t signatures_refused;
};

extern struct statistics statistics;

#endif
