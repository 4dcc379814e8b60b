import type { Socket } from "node:net";

/** Resolves when a connection has ended, be it with a reset: who hangs up before he has read everything resets. */
export function gone(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}
