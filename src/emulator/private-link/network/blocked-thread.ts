import { Worker } from "node:worker_threads";
import { type Deferred, deferred } from "../../../deferred.ts";

/**
 * Listens where it is told to and never comes back to its event loop, so that nothing is ever accepted: between two requests the
 * thread stands still in `Atomics.wait`, and a listen on an address needs no turn of the loop. JavaScript text, since a worker
 * that is started from a file would have to find that file in sources and in the built package alike.
 */
const script = `
const { parentPort, workerData, receiveMessageOnPort } = require("node:worker_threads");
const { once } = require("node:events");
const { createServer } = require("node:net");
const requests = new Int32Array(workerData.requests);
const servers = new Map();
async function serve({ open, close }) {
  if (close !== undefined) {
    servers.get(close)?.close();
    servers.delete(close);
  }
  if (open !== undefined) {
    const server = createServer().listen({ host: "127.0.0.1", port: open, backlog: 1 });
    await once(server, "listening");
    servers.set(open, server);
  }
}
async function run() {
  for (let served = 0; ; ) {
    Atomics.wait(requests, 0, served);
    served = Atomics.load(requests, 0);
    for (let next = receiveMessageOnPort(parentPort); next !== undefined; next = receiveMessageOnPort(parentPort)) {
      const { id, ...request } = next.message;
      await serve(request).then(
        () => parentPort.postMessage({ id }),
        (error) => parentPort.postMessage({ id, error: String(error.message) }),
      );
    }
  }
}
void run();
`;

/** A thread that keeps listening sockets nobody accepts from. */
export class BlockedThread {
  static #shared: BlockedThread | undefined;
  /** How many requests were made; the thread sleeps until it changes. */
  readonly #requests = new Int32Array(new SharedArrayBuffer(4));
  #nextId = 0;
  readonly #pending = new Map<number, Deferred<void>>();
  readonly #worker: Worker;

  private constructor() {
    this.#worker = new Worker(script, { eval: true, execArgv: [], workerData: { requests: this.#requests.buffer } });
    this.#worker.on("message", ({ id, error }: { id: number; error?: string }) => {
      const waiting = this.#pending.get(id);
      this.#pending.delete(id);
      if (this.#pending.size === 0) this.#worker.unref();
      if (error === undefined) waiting?.resolve();
      else waiting?.reject(new Error(error));
    });
    this.#worker.on("error", (error) => {
      BlockedThread.#shared = undefined;
      for (const waiting of this.#pending.values()) waiting.reject(error);
    });
  }

  /**
   * The one thread of this process: started when it is first needed, since a thread costs more than all its sockets together,
   * and never a reason for the process to go on.
   */
  static get shared(): BlockedThread {
    BlockedThread.#shared ??= new BlockedThread();
    return BlockedThread.#shared;
  }

  /** Takes a free port of 127.0.0.1. Rejects when it is taken. */
  open(port: number): Promise<void> {
    return this.#ask({ open: port });
  }

  /** Gives a port back. Idempotent. */
  close(port: number): Promise<void> {
    return this.#ask({ close: port });
  }

  async #ask(request: { open: number } | { close: number }): Promise<void> {
    const id = this.#nextId;
    this.#nextId += 1;
    const done = deferred<void>();
    this.#pending.set(id, done);
    this.#worker.ref();
    // The message first: a thread that sees the number change looks for the message, and does not wait for it.
    this.#worker.postMessage({ id, ...request });
    Atomics.add(this.#requests, 0, 1);
    Atomics.notify(this.#requests, 0);
    await done.promise;
  }
}
