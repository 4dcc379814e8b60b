import { LandfallError } from "../errors.ts";
import type { Port } from "./port.ts";
import { DevicePort } from "./ports/device-port.ts";
import { SocketPort } from "./ports/socket-port.ts";

/** What most boards come up with, bits per second. */
export const usualBaudRate = 115_200;

/**
 * The port that an address names: `tcp://HOST:PORT` and `unix:PATH` are sockets, such as those of QEMU and ser2net;
 * everything else is a serial device. Throws `serial.address`.
 * @param baudRate bits per second of a serial device; sockets have none. Default 115 200.
 */
export function portAt(address: string, baudRate: number = usualBaudRate): Port {
  if (address.startsWith("tcp:")) return new SocketPort(address, tcpTarget(address));
  if (address.startsWith("unix:")) {
    const path = address.slice("unix:".length);
    if (path === "") throw wrong(address, "a path behind unix:");
    return new SocketPort(address, { path });
  }
  if (address === "" || address.includes("\0")) throw wrong(address, "the path of a serial device");
  if (!Number.isInteger(baudRate) || baudRate < 1) {
    throw new LandfallError("serial.address", `expected a baud rate of at least 1, got ${baudRate}`);
  }
  return new DevicePort(address, baudRate);
}

function tcpTarget(address: string): { readonly host: string; readonly port: number } {
  const found = /^tcp:\/\/(?:\[([0-9a-fA-F:.]+)\]|([^:/?#[\]@]+)):(\d{1,5})$/.exec(address);
  const port = Number(found?.[3]);
  if (found === null || port < 1 || port > 65_535) throw wrong(address, "tcp://HOST:PORT");
  return { host: found[1] ?? (found[2] as string), port };
}

function wrong(address: string, expected: string): LandfallError {
  return new LandfallError("serial.address", `expected ${expected}, got ${JSON.stringify(address)}`);
}
