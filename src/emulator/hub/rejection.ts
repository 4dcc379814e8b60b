import { LandfallError } from "../../errors.ts";

/** What the service side of IoT Hub answers when it refuses, by the hub's own error code. */
const meanings = {
  400004: "the argument is not valid",
  404001: "there is no such device",
  404103: "the device is not online",
  404104: "the connection was closed by the device",
  403004: "the device's queue is full",
  409001: "the device exists already",
  413001: "the message is too large",
  504101: "the device did not answer in time",
} as const;

/** An error that says what the service side would have been told; `service` carries the hub's code. */
export function rejection(errorCode: keyof typeof meanings, detail: string): LandfallError {
  const status = Math.floor(errorCode / 1000);
  const message = `IoT Hub: ${meanings[errorCode]} (${errorCode}): ${detail}`;
  return new LandfallError("emulator.rejected", message, { service: { errorCode, status, message: detail } });
}
