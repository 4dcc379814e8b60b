import { expect, test } from "vitest";
import { openError } from "../../../../src/serial/ports/port-error.ts";

// As the driver of serial devices, and Node for sockets, put it on Linux, macOS and Windows.
test.each([
  ["Error: Permission denied, cannot open /dev/ttyUSB0", "serial.port-denied"],
  ["connect EACCES /run/mcu.sock", "serial.port-denied"],
  ["Opening COM3: Access denied", "serial.port-denied"],
  ["Error: No such file or directory, cannot open /dev/ttyUSB0", "serial.port-not-found"],
  ["Opening COM9: File not found", "serial.port-not-found"],
  ["connect ECONNREFUSED 127.0.0.1:4000", "serial.port-not-found"],
  ["Error Resource temporarily unavailable Cannot lock port", "serial.port-busy"],
  ["Error: Device or resource busy, cannot open /dev/ttyUSB0", "serial.port-busy"],
  ["Error: Inappropriate ioctl for device setting custom baud rate of 115200", "serial.port-failed"],
])("%s is %s", (text, code) => {
  const cause = new Error(text);
  const error = openError("the port", cause);
  expect(error).toMatchObject({ code, cause });
  expect(error.message).toContain(text);
});

test("what to do about a port of another group names the group", () => {
  expect(openError("/dev/ttyUSB0", new Error("Permission denied")).remedy).toContain("usermod -aG dialout");
});
