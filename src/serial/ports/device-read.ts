import { read } from "node:fs";
import { promisify } from "node:util";

/** What the driver has open for a serial device on Linux and macOS. */
export interface OpenDevice {
  /** Null once it has been closed. */
  readonly fd: number | null;
  readonly poller: {
    once(event: "readable", listener: (error: Error | null) => void): unknown;
  };
}

/** How much was read, and where it is. */
export interface DeviceRead {
  readonly buffer: Buffer;
  readonly bytesRead: number;
}

const readFile = promisify(read);

/** The system has nothing to read now, or was interrupted. */
const notYet = new Set(["EAGAIN", "EWOULDBLOCK", "EINTR"]);

/**
 * Reads at least one byte from a serial device, whenever it comes. Rejects with the system's error, and when the device has
 * gone away.
 *
 * It takes the place of the driver's own reading, which takes the end of a device for a pause and asks again at once, without
 * end: a device that was unplugged in the middle of a read would go unnoticed, and keep a core busy. The end it is, since
 * the driver sets devices up so that a read returns at least one byte.
 */
export async function readDevice(
  device: OpenDevice,
  buffer: Buffer,
  offset: number,
  length: number,
): Promise<DeviceRead> {
  for (;;) {
    if (device.fd === null) throw canceled();
    try {
      const { bytesRead } = await readFile(device.fd, buffer, offset, length, null);
      if (bytesRead === 0) throw new Error("the device has nothing to read any more");
      return { buffer, bytesRead };
    } catch (error) {
      if (!notYet.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
    await readable(device);
  }
}

function readable({ fd, poller }: OpenDevice): Promise<void> {
  return new Promise((resolve, reject) => {
    // It was closed while the system was asked: nobody would ever call.
    if (fd === null) reject(canceled());
    else poller.once("readable", (error) => (error ? reject(error) : resolve()));
  });
}

/** As the driver marks what was given up because somebody closed the device. */
function canceled(): Error {
  return Object.assign(new Error("the device was closed"), { canceled: true });
}
