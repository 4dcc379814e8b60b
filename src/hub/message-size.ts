import type { TelemetryMessage } from "../transport/messages.ts";

/** Most bytes that IoT Hub takes in one device-to-cloud message: body and properties together. */
export const maxTelemetryBytes = 262_144;

/** Most bytes that IoT Hub takes as the answer to a direct method, as JSON. */
export const maxMethodAnswerBytes = 131_072;

/** What a message counts against {@link maxTelemetryBytes}: its body, its system properties, its own names and values. */
export function telemetryBytes(message: TelemetryMessage): number {
  const { payload, properties = {}, ...systemProperties } = message;
  const texts = [...Object.values(systemProperties), ...Object.entries(properties).flat()];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ""), payload.byteLength);
}
