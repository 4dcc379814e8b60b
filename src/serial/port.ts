import type { Duplex } from "node:stream";

/** A place where an MCU can be reached: a serial device, a socket, or something in a test's memory. */
export interface Port {
  /** How people know it, such as `/dev/ttyACM0`. */
  readonly name: string;
  /**
   * Opens it; may be called again once the stream of the last time has closed. The stream closes when the port goes away,
   * with an error where the platform gives one, and lets go of the port when it is destroyed.
   * Rejects with a `serial.*` error.
   */
  open(options?: { readonly signal?: AbortSignal | undefined }): Promise<Duplex>;
}
