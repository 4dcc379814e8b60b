import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { describeCause, LandfallError } from "../../../errors.ts";
import { findLastingPort } from "../lasting-port.ts";
import { BlackHole } from "./black-hole.ts";

/** What a loopback port does with a client that knocks: takes it in, turns it away, or gives no sign. */
export type FrontMode = "open" | "refusing" | "dropping";

/**
 * One loopback port that keeps its number while it changes what it does. A port that refuses is held by an outgoing connection,
 * which is no listener and yet keeps every other program from listening there.
 */
export class TcpFront {
  readonly #accept: (socket: Socket) => void;
  #port = 0;
  #mode: FrontMode | undefined;
  #release: () => unknown = () => {};

  private constructor(accept: (socket: Socket) => void) {
    this.#accept = accept;
  }

  /** Opens a front on a free port of 127.0.0.1. Rejects with `emulator.listen-failed`. */
  static async open(accept: (socket: Socket) => void): Promise<TcpFront> {
    const front = new TcpFront(accept);
    await findLastingPort(async (port) => {
      front.#port = port;
      await front.enter("open");
    });
    return front;
  }

  get port(): number {
    return this.#port;
  }

  /**
   * Connections that exist stay. Rejects with `emulator.listen-failed` when somebody else took the port meanwhile.
   * @param anchor a loopback port that accepts, for `refusing` to hold on to
   */
  async enter(mode: FrontMode, anchor = 0): Promise<void> {
    if (mode === this.#mode) return;
    await this.close();
    try {
      if (mode === "open") await this.#listen();
      else if (mode === "refusing") await this.#hold(anchor);
      else await this.#drop();
    } catch (cause) {
      const message = `Could not have the port 127.0.0.1:${this.#port}: ${describeCause(cause)}.`;
      throw new LandfallError("emulator.listen-failed", message, { cause });
    }
    this.#mode = mode;
  }

  /** Lets go of the port. Idempotent. */
  async close(): Promise<void> {
    const release = this.#release;
    this.#release = () => {};
    this.#mode = undefined;
    await release();
  }

  async #listen(): Promise<void> {
    const server: Server = createServer({ allowHalfOpen: true }, this.#accept);
    server.listen({ host: "127.0.0.1", port: this.#port });
    await once(server, "listening");
    server.on("error", () => {});
    this.#release = () => void server.close();
  }

  async #hold(anchor: number): Promise<void> {
    const holder = connect({ host: "127.0.0.1", port: anchor, localAddress: "127.0.0.1", localPort: this.#port });
    await once(holder, "connect");
    holder.on("error", () => {});
    holder.unref();
    this.#release = () => void holder.resetAndDestroy();
  }

  async #drop(): Promise<void> {
    const hole = await BlackHole.open(this.#port);
    this.#release = () => hole.close();
  }
}
