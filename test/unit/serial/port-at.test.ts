import { describe, expect, test } from "vitest";
import { portAt } from "../../../src/serial/port-at.ts";
import { DevicePort } from "../../../src/serial/ports/device-port.ts";
import { SocketPort } from "../../../src/serial/ports/socket-port.ts";

describe("the address of a port", () => {
  test.each(["/dev/ttyACM0", "/dev/serial/by-id/usb-x", "COM3"])("%s is a serial device", (address) => {
    const port = portAt(address);
    expect(port).toBeInstanceOf(DevicePort);
    expect(port.name).toBe(address);
  });

  test.each(["tcp://localhost:4000", "tcp://127.0.0.1:1", "tcp://[::1]:65535", "unix:/run/mcu.sock", "unix:mcu.sock"])(
    "%s is a socket",
    (address) => {
      const port = portAt(address);
      expect(port).toBeInstanceOf(SocketPort);
      expect(port.name).toBe(address);
    },
  );

  test.each([
    "",
    "a\0b",
    "unix:",
    "tcp:",
    "tcp://",
    "tcp://host",
    "tcp://host:0",
    "tcp://host:65536",
    "tcp://host:4000/path",
    "tcp://user@host:4000",
    "tcp://::1:4000",
  ])("%j is refused", (address) => {
    expect(() => portAt(address)).toThrow(expect.objectContaining({ code: "serial.address" }));
  });

  test.each([0, -1, 1.5, Number.NaN])("a baud rate of %d is refused", (baudRate) => {
    expect(() => portAt("/dev/ttyS0", baudRate)).toThrow(expect.objectContaining({ code: "serial.address" }));
  });
});
