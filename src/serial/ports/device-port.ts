import { Duplex } from "node:stream";
import type { SerialPort } from "serialport";
import { LandfallError } from "../../errors.ts";
import type { Port } from "../port.ts";
import { readDevice } from "./device-read.ts";
import { openError } from "./port-error.ts";

/** A serial device of this machine, 8 data bits, no parity, one stop bit. The driver is loaded when it is first opened. */
export class DevicePort implements Port {
  /** Path of the device. */
  readonly name: string;
  readonly #baudRate: number;

  constructor(path: string, baudRate: number) {
    this.name = path;
    this.#baudRate = baudRate;
  }

  async open({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Duplex> {
    const driver = await loadDriver();
    signal?.throwIfAborted();
    const port = new driver.SerialPort({ path: this.name, baudRate: this.#baudRate, autoOpen: false });
    await new Promise<void>((resolve, reject) => {
      port.open((cause) => (cause ? reject(openError(this.name, cause)) : resolve()));
    });
    takeOverReads(port);
    const stream = new DeviceStream(port);
    // Opening cannot be interrupted; what nobody waits for any more is let go of.
    if (signal?.aborted) stream.destroy();
    signal?.throwIfAborted();
    return stream;
  }
}

async function loadDriver(): Promise<typeof import("serialport")> {
  try {
    return await import("serialport");
  } catch (cause) {
    throw new LandfallError("serial.driver-missing", "could not load the package serialport", { cause });
  }
}

/** Windows has no poller, and a driver that reads on its own. */
function takeOverReads({ port: device }: SerialPort): void {
  if (device === undefined || !("poller" in device)) return;
  device.read = (buffer, offset, length) => readDevice(device, buffer, offset, length);
}

/** The driver's stream outlives its device and does not let go of it when destroyed; this one does both as streams do. */
class DeviceStream extends Duplex {
  readonly #port: SerialPort;

  constructor(port: SerialPort) {
    super();
    this.#port = port;
    port.on("data", (chunk: Buffer) => void this.push(chunk));
    port.on("error", (error) => void this.destroy(error));
    port.on("close", (error: Error | null) => void this.destroy(error ?? undefined));
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#port.write(chunk, done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const port = this.#port;
    if (port.isOpen) port.close(() => done(error));
    else done(error);
  }
}
