import type { Socket } from "node:net";
import type { PathOutcome } from "./path.ts";

/** One connection that a client made to an address of the world. */
export interface Arrival {
  /** The address that the client dialled; behind NAT64 the IPv4 address that it led to. */
  readonly address: string;
  readonly port: number;
  /** The address that the service sees the client come from. */
  readonly from: string;
  readonly outcome: PathOutcome;
  /** By the world's clock, milliseconds since the Unix epoch. */
  readonly atMs: number;
  /** Bytes that came from the client so far. */
  readonly receivedBytes: number;
}

/** The two ports of a connection, as its listener sees them. */
export interface ListenerSocket {
  readonly localPort?: number | undefined;
  readonly remotePort?: number | undefined;
}

/** Which forwarded connection belongs to which arrival; what a service asks to learn by which path a client came. */
export class Arrivals {
  readonly #forwarded = new Map<string, Arrival>();

  /** @param upstream the client end of the connection to the service's listener */
  register(upstream: Socket, arrival: Arrival): void {
    const key = keyOf({ localPort: upstream.remotePort, remotePort: upstream.localPort });
    this.#forwarded.set(key, arrival);
    upstream.once("close", () => this.#forwarded.delete(key));
  }

  /** The arrival behind a connection that a listener accepted; undefined when it did not come through a front. */
  resolve(socket: ListenerSocket): Arrival | undefined {
    return this.#forwarded.get(keyOf(socket));
  }
}

function keyOf({ localPort, remotePort }: ListenerSocket): string {
  return `${localPort}:${remotePort}`;
}
