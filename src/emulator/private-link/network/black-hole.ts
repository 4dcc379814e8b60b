import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { describeCause, LandfallError } from "../../../errors.ts";

/**
 * Listens on the given ports, then blocks its thread so that nothing is ever accepted. JavaScript text, since a worker that is
 * started from a file would have to find that file in sources and in the built package alike.
 */
const script = `
const { parentPort, workerData } = require("node:worker_threads");
const { createServer } = require("node:net");
let waiting = workerData.ports.length;
for (const port of workerData.ports) {
  createServer().listen({ host: "127.0.0.1", port, backlog: 1 }, () => {
    waiting -= 1;
    if (waiting > 0) return;
    parentPort.postMessage("listening");
    Atomics.wait(new Int32Array(workerData.gate), 0, 0);
    process.exit();
  });
}
`;

/** Connections that a port with a backlog of 1 takes in although nobody accepts them (Linux). */
const filling = 2;

/**
 * Loopback ports that answer no packet, as behind a filter that drops: a connect neither succeeds nor fails. A listening socket
 * whose queue is full does that, and only a thread that never comes back to its event loop leaves the queue full.
 */
export class BlackHole {
  readonly #worker: Worker;
  readonly #gate: SharedArrayBuffer;
  readonly #fillers: readonly Socket[];
  readonly #exited: Promise<unknown>;

  private constructor(worker: Worker, gate: SharedArrayBuffer, exited: Promise<unknown>, fillers: readonly Socket[]) {
    this.#worker = worker;
    this.#gate = gate;
    this.#exited = exited;
    this.#fillers = fillers;
  }

  /** Makes black holes of free loopback ports. Rejects with `emulator.listen-failed` when one is taken. */
  static async open(ports: readonly number[]): Promise<BlackHole> {
    const gate = new SharedArrayBuffer(4);
    const worker = new Worker(script, { eval: true, execArgv: [], workerData: { ports, gate } });
    const exited = once(worker, "exit");
    try {
      await once(worker, "message");
    } catch (cause) {
      const message = `Could not listen on the ports ${ports.join(", ")}: ${describeCause(cause)}.`;
      throw new LandfallError("emulator.listen-failed", message, { cause });
    }
    // An idle black hole must not keep the process alive.
    worker.unref();
    return new BlackHole(worker, gate, exited, await fillQueues(ports));
  }

  /** Gives the ports back. Idempotent. */
  async close(): Promise<void> {
    for (const socket of this.#fillers) socket.destroy();
    const cell = new Int32Array(this.#gate);
    Atomics.store(cell, 0, 1);
    Atomics.notify(cell, 0);
    this.#worker.ref();
    await this.#exited;
  }
}

/** Fills the queue of each port; one connect more than fit makes sure that none is free. */
async function fillQueues(ports: readonly number[]): Promise<Socket[]> {
  const sockets: Socket[] = [];
  await Promise.all(
    ports.map(async (port) => {
      for (let left = filling; left >= 0; left -= 1) {
        const socket = connect({ host: "127.0.0.1", port });
        socket.on("error", () => {});
        socket.unref();
        sockets.push(socket);
        if (left > 0) await once(socket, "connect");
      }
    }),
  );
  return sockets;
}
