import { isMainThread } from "node:worker_threads";
import { LandfallError } from "../errors.ts";
import { parsePortAddress, portAddressForm, usualBaudRate } from "../port-address.ts";
import type { Port } from "./port.ts";
import { DeviceInProcess } from "./ports/device-in-process.ts";
import { DevicePort } from "./ports/device-port.ts";
import { SocketPort } from "./ports/socket-port.ts";

/**
 * The port that an address names: `tcp://HOST:PORT` and `unix:PATH` are sockets, such as those of QEMU and ser2net;
 * everything else is a serial device. Throws `serial.address`.
 * @param baudRate bits per second of a serial device; sockets have none. Default 115 200.
 */
export function portAt(address: string, baudRate: number = usualBaudRate): Port {
  const parsed = parsePortAddress(address);
  if (parsed === undefined) {
    throw new LandfallError("serial.address", `expected ${portAddressForm}, got ${JSON.stringify(address)}`);
  }
  if (parsed.kind === "tcp") return new SocketPort(address, { host: parsed.host, port: parsed.port });
  if (parsed.kind === "unix") return new SocketPort(address, { path: parsed.path });
  if (!Number.isInteger(baudRate) || baudRate < 1) {
    throw new LandfallError("serial.address", `expected a baud rate of at least 1, got ${baudRate}`);
  }
  return isMainThread ? new DevicePort(parsed.path, baudRate) : new DeviceInProcess(parsed.path, baudRate);
}
