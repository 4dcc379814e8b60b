import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** What went over one connection, TLS included. */
export interface Traffic {
  sentBytes: number;
  receivedBytes: number;
}

/**
 * Stands in front of a port, counts bytes, and makes the way longer where it is told to. The client's TCP handshake never
 * leaves this machine, so its round trip is put in front of the first bytes instead.
 */
export class WireProxy implements AsyncDisposable {
  /** Milliseconds that a round trip takes longer. Default 0. */
  roundTripMs = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #traffic: Traffic[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  /**
   * Listens on a free port of 127.0.0.1 and leads to the same port of `host`: a client that is told a port finds the way
   * through the proxy by it.
   */
  static async start(host: string): Promise<WireProxy> {
    const server = createServer({ noDelay: true });
    const proxy = new WireProxy(server);
    server.on("connection", (client) => proxy.#lead(client, host));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The connections since the last call, oldest first. */
  takeTraffic(): readonly Traffic[] {
    return this.#traffic.splice(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #lead(client: Socket, host: string): void {
    const service = connect({ host, port: this.port, noDelay: true });
    const traffic: Traffic = { sentBytes: 0, receivedBytes: 0 };
    this.#traffic.push(traffic);
    const oneWayMs = this.roundTripMs / 2;
    const openedAt = performance.now() + this.roundTripMs;
    forward(client, service, (bytes) => {
      traffic.sentBytes += bytes;
      return Math.max(0, openedAt - performance.now()) + oneWayMs;
    });
    forward(service, client, (bytes) => {
      traffic.receivedBytes += bytes;
      return oneWayMs;
    });
    for (const [one, other] of [
      [client, service],
      [service, client],
    ] as const) {
      this.#sockets.add(one);
      one.on("error", () => other.destroy());
      one.once("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}

/** Hands bytes on, each chunk as late as `delayFor` says and never before an earlier one. */
function forward(from: Socket, to: Socket, delayFor: (bytes: number) => number): void {
  let lastAt = 0;
  const later = (delayMs: number, act: () => void): void => {
    if (delayMs <= 0) {
      act();
      return;
    }
    lastAt = Math.max(lastAt, performance.now() + delayMs);
    setTimeout(act, lastAt - performance.now());
  };
  from.on("data", (chunk: Buffer) => later(delayFor(chunk.length), () => to.writable && to.write(chunk)));
  from.on("end", () => later(delayFor(0), () => to.end()));
}
