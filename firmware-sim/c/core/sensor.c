#include "sensor.h"

#include "settings.h"

#define PERIOD 60

static uint32_t state = 1;
static int32_t step;

void sensor_begin(uint32_t seed) {
  state = seed;
  step = 0;
}

/** Xorshift: noise enough for a picture of a sensor, and nothing else. */
static uint32_t next(void) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

/** From -extent to extent. */
static int32_t noise(int32_t extent) { return (int32_t)(next() % (uint32_t)(2 * extent + 1)) - extent; }

sensor_reading sensor_read(void) {
  step = (step + 1) % PERIOD;
  const int32_t wave = step < PERIOD / 2 ? step : PERIOD - step;
  const sensor_reading reading = {
      .temperature = 2100 + 5 * wave + noise(15) + setting_number(SETTING_SENSOR_OFFSET),
      .humidity = 480 - 2 * wave + noise(8),
  };
  return reading;
}
