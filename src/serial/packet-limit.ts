import { packetOverheadBytes } from "./console-frames.ts";
import type { SmpCallOptions, SmpClient } from "./smp-client.ts";
import { SmpRefusal } from "./smp-faults.ts";

/** What Zephyr has by default; assumed of firmware that does not tell. */
const usualBufferBytes = 384;

/** No buffer smaller than this carries the requests there are; no packet longer than the other is worth its risk on a UART. */
const sensibleBufferBytes = { least: 64, most: 8192 };

/** Asks the MCU (command 0/6) how long a packet may be, in bytes. Length and CRC share the buffer with the packet. */
export async function readPacketLimit(client: SmpClient, options: SmpCallOptions): Promise<number> {
  const told = await readBufferBytes(client, options);
  const { least, most } = sensibleBufferBytes;
  return Math.min(most, Math.max(least, told)) - packetOverheadBytes;
}

async function readBufferBytes(client: SmpClient, options: SmpCallOptions): Promise<number> {
  try {
    const { buf_size: told } = await client.request({ operation: "read", group: 0, command: 6 }, options);
    return typeof told === "number" && Number.isInteger(told) ? told : usualBufferBytes;
  } catch (error) {
    if (error instanceof SmpRefusal && error.is("notSupported")) return usualBufferBytes;
    throw error;
  }
}
