import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { RoundTrips } from "./round-trips.ts";

/** What went over one connection, TLS included. */
export interface Traffic {
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** The TCP handshake counts as one. Exact where the way is long; on a short one, what goes out together may not look so. */
  readonly roundTrips: number;
}

/** The same while the connection lives. */
interface Connection {
  sentBytes: number;
  receivedBytes: number;
  readonly roundTrips: RoundTrips;
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
  readonly #connections: Connection[] = [];

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

  /** The connections since the last call, oldest first. */
  takeTraffic(): readonly Traffic[] {
    return this.#connections
      .splice(0)
      .map(({ roundTrips, ...bytes }) => ({ ...bytes, roundTrips: 1 + roundTrips.count }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #lead(client: Socket, host: string): void {
    const service = connect({ host, port: this.port, noDelay: true, allowHalfOpen: true });
    const roundTrips = new RoundTrips();
    const connection: Connection = { sentBytes: 0, receivedBytes: 0, roundTrips };
    this.#connections.push(connection);
    const oneWayMs = this.roundTripMs / 2;
    const openedAt = performance.now() + this.roundTripMs;
    forward(client, service, {
      delayMs: () => Math.max(0, openedAt - performance.now()) + oneWayMs,
      onData: (bytes) => {
        connection.sentBytes += bytes;
        return roundTrips.clientSends();
      },
    });
    forward(service, client, {
      delayMs: () => oneWayMs,
      onData: (bytes) => {
        connection.receivedBytes += bytes;
        return roundTrips.serviceSends();
      },
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
