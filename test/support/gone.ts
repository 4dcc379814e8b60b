import type { Duplex } from "node:stream";

/** Resolves when a connection has ended, be it with a reset: who hangs up before he has read everything resets. */
export function gone(socket: Duplex): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}
