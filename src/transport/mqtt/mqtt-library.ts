/**
 * Loads the MQTT client when the first connection needs it. Its packet writer would make 65 536 two-byte buffers at the
 * first packet, to have every number at hand: time and megabytes that a device with a few messages a second never gets back.
 */
export async function loadMqtt(): Promise<typeof import("mqtt")> {
  const [mqtt, { writeToStream }] = await Promise.all([
    import("mqtt"),
    import("mqtt-packet").then(({ default: packets }) => packets),
  ]);
  writeToStream.cacheNumbers = false;
  return mqtt;
}
