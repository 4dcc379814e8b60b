import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { BlockedThread } from "./blocked-thread.ts";

/** Connections that a port with a backlog of 1 takes in although nobody accepts them (Linux). */
const filling = 2;

/**
 * A loopback port that answers no packet, as behind a filter that drops: a connect neither succeeds nor fails. A listening socket
 * whose queue is full does that, as long as nobody accepts.
 */
export class BlackHole {
  readonly #port: number;
  readonly #fillers: readonly Socket[];

  private constructor(port: number, fillers: readonly Socket[]) {
    this.#port = port;
    this.#fillers = fillers;
  }

  /** Makes a black hole of a free loopback port. Rejects with a system error when it is taken. */
  static async open(port: number): Promise<BlackHole> {
    await BlockedThread.shared.open(port);
    const fillers: Socket[] = [];
    // One connect more than fit makes sure that no place in the queue is free.
    for (let left = filling; left >= 0; left -= 1) {
      const socket = connect({ host: "127.0.0.1", port });
      socket.on("error", () => {});
      socket.unref();
      fillers.push(socket);
      if (left > 0) await once(socket, "connect");
    }
    return new BlackHole(port, fillers);
  }

  /** Gives the port back. Idempotent. */
  async close(): Promise<void> {
    for (const socket of this.#fillers) socket.destroy();
    await BlockedThread.shared.close(this.#port);
  }
}
