import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { RoundTrips } from "./round-trips.ts";

/** What a client has sent and received. */
export interface Traffic {
  /** Oldest first. */
  readonly connections: readonly ConnectionBytes[];
  /** Exact where the way is long; on a short one, what goes out together may not look so. */
  readonly roundTrips: number;
}

/** What went over one connection, TLS included. */
export interface ConnectionBytes {
  readonly sentBytes: number;
  readonly receivedBytes: number;
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
  #connections: { -readonly [name in keyof ConnectionBytes]: number }[] = [];
  #roundTrips = new RoundTrips();

  private constructor(server: Server) {
    this.#server = server;
  }

  /**
   * Listens on a free port of 127.0.0.1 and leads to the same port of `host`: a client that is told a port finds the way
   * through the proxy by it.
   */
  static async start(host: string): Promise<WireProxy> {
    const server = createServer({ noDelay: true, allowHalfOpen: true });
    const proxy = new WireProxy(server);
    server.on("connection", (client) => proxy.#lead(client, host));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** What has happened since the last call. What is still open counts no further. */
  takeTraffic(): Traffic {
    const traffic = { connections: structuredClone(this.#connections), roundTrips: this.#roundTrips.count };
    this.#connections = [];
    this.#roundTrips = new RoundTrips();
    return traffic;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #lead(client: Socket, host: string): void {
    const service = connect({ host, port: this.port, noDelay: true, allowHalfOpen: true });
    const trips = this.#roundTrips.connect();
    const connection = { sentBytes: 0, receivedBytes: 0 };
    this.#connections.push(connection);
    const oneWayMs = this.roundTripMs / 2;
    const openedAt = performance.now() + this.roundTripMs;
    forward(client, service, {
      delayMs: () => Math.max(0, openedAt - performance.now()) + oneWayMs,
      onData: (bytes) => {
        connection.sentBytes += bytes;
        return trips.clientSends();
      },
    });
    forward(service, client, {
      delayMs: () => oneWayMs,
      onData: (bytes) => {
        connection.receivedBytes += bytes;
        return trips.serviceSends();
      },
    });
    for (const [one, other] of [
      [client, service],
      [service, client],
    ] as const) {
      this.#sockets.add(one);
      // An end goes the long way as bytes do; a break has none.
      one.on("error", () => other.destroy());
      one.once("close", () => this.#sockets.delete(one));
    }
  }
}

/** One direction of a way. */
interface Direction {
  /** How late what arrives now is handed on. */
  readonly delayMs: () => number;
  /** Told of each chunk; what it returns is called when the chunk is handed on. */
  readonly onData: (bytes: number) => () => void;
}

/** Hands bytes on, each chunk as late as the direction says and in order. */
function forward(from: Socket, to: Socket, { delayMs, onData }: Direction): void {
  // Timers of unlike lengths may end in another order than they shall; what is due first is always handed on first.
  const waiting: (() => void)[] = [];
  const later = (act: () => void): void => {
    const ms = delayMs();
    if (ms <= 0 && waiting.length === 0) {
      act();
      return;
    }
    waiting.push(act);
    setTimeout(() => waiting.shift()?.(), ms);
  };
  from.on("data", (chunk: Buffer) => {
    const onArrival = onData(chunk.length);
    later(() => {
      onArrival();
      if (to.writable) to.write(chunk);
    });
  });
  from.on("end", () => later(() => to.end()));
}
