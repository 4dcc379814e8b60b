import { expect, test } from "vitest";
import { openError } from "../../../../src/serial/ports/port-error.ts";

// As the driver of serial devices, and Node for sockets, put it on Linux, macOS and Windows.
test.each([
  ["Error: Permission denied, cannot open /dev/ttyUSB0", "serial.port-denied", "Permission denied"],
  ["connect EACCES /run/mcu.sock", "serial.port-denied", "connect EACCES /run/mcu.sock"],
  ["Opening COM3: Access denied", "serial.port-denied", "Opening COM3: Access denied"],
  ["Error: No such file or directory, cannot open /dev/ttyUSB0", "serial.port-not-found", "No such file or directory"],
  ["Opening COM9: File not found", "serial.port-not-found", "Opening COM9: File not found"],
  ["connect ECONNREFUSED 127.0.0.1:4000", "serial.port-not-found", "connect ECONNREFUSED 127.0.0.1:4000"],
  [
    "Error Resource temporarily unavailable Cannot lock port",
    "serial.port-busy",
    "Resource temporarily unavailable Cannot lock port",
  ],
  ["Error: Device or resource busy, cannot open /dev/ttyUSB0", "serial.port-busy", "Device or resource busy"],
  [
    "Error: Inappropriate ioctl for device setting custom baud rate of 115200",
    "serial.port-failed",
    "Inappropriate ioctl for device setting custom baud rate of 115200",
  ],
])("%s is %s", (text, code, reason) => {
  const error = openError("the port", new Error(text));
  expect(error).toMatchObject({ code, message: `could not open the port: ${reason}` });
  // Whoever prints an error with its cause leaves out a cause that the message has already.
  expect(error.cause).toMatchObject({ message: reason });
});

test("what to do about a port of another group names the group", () => {
  expect(openError("/dev/ttyUSB0", new Error("Permission denied")).remedy).toContain("usermod -aG dialout");
});
