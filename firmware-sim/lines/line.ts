import type { Duplex } from "node:stream";

/** A place where programs find the line of a simulated MCU. */
export interface Line extends AsyncDisposable {
  /** What a program opens: the path of a device, `unix:PATH`, or `tcp://HOST:PORT`. */
  readonly address: string;
  /** Takes the line away, as unplugging does. May be called more than once. */
  close(): Promise<void>;
}

/** Takes the MCU's end of a line whenever there is a new one. */
export type AttachLine = (stream: Duplex) => void;
