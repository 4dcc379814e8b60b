import { once } from "node:events";
import type { TLSSocket } from "node:tls";
import { systemClock } from "../../src/clock.ts";
import type { DialedSocket, Dialer, DialOptions, DialTarget } from "../../src/endpoint/dialer.ts";
import { TlsDialer } from "../../src/endpoint/tls-dialer.ts";

/** A dialer that finds every name on loopback, and knows which of its connections are open. */
export class WatchedDialer implements Dialer {
  readonly #dialer: TlsDialer;
  readonly #open = new Set<TLSSocket>();

  /** @param trusted PEM of the CA */
  constructor(trusted: string) {
    this.#dialer = new TlsDialer({ clock: systemClock, trustBundle: trusted, lookup: async () => ["127.0.0.1"] });
  }

  async dial(target: DialTarget, options?: DialOptions): Promise<DialedSocket> {
    const dialed = await this.#dialer.dial(target, options);
    this.watch(dialed.socket);
    return dialed;
  }

  /** Takes a connection into account that was made otherwise. */
  watch(socket: TLSSocket): TLSSocket {
    this.#open.add(socket);
    socket.once("close", () => this.#open.delete(socket));
    return socket;
  }

  /** Cuts every connection, as a failing network would. */
  cut(): void {
    for (const socket of this.#open) socket.destroy();
  }

  /** Resolves when no connection is open any more. */
  async idle(): Promise<void> {
    for (const socket of [...this.#open]) if (!socket.closed) await once(socket, "close");
  }
}
