#ifndef SENSOR_H
#define SENSOR_H

#include <stdint.h>

typedef struct {
  /** Hundredths of a degree Celsius. */
  int32_t temperature;
  /** Tenths of a percent. */
  int32_t humidity;
} sensor_reading;

/** Begins the noise anew; the same seed gives the same readings. Not 0. */
void sensor_begin(uint32_t seed);

/** The next reading: a slow wave of 60 readings, and noise. */
sensor_reading sensor_read(void);

#endif
