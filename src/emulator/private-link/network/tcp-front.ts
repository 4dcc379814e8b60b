import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { describeCause, LandfallError } from "../../../errors.ts";

/** What a loopback port does with a client that knocks: takes it in, turns it away, or is left to somebody else. */
export type FrontMode = "open" | "refusing" | "released";

/**
 * One loopback port that keeps its number while it changes what it does. A port that refuses is held by an outgoing connection,
 * which is no listener and yet keeps every other program from listening there.
 */
export class TcpFront {
  readonly #accept: (socket: Socket) => void;
  #port = 0;
  #mode: FrontMode = "released";
  #server: Server | undefined;
  #holder: Socket | undefined;

  private constructor(accept: (socket: Socket) => void) {
    this.#accept = accept;
  }

  /** Opens a front on a free port of 127.0.0.1. Rejects with `emulator.listen-failed`. */
  static async open(accept: (socket: Socket) => void): Promise<TcpFront> {
    const front = new TcpFront(accept);
    await front.#listen();
    return front;
  }

  get port(): number {
    return this.#port;
  }

  get mode(): FrontMode {
    return this.#mode;
  }

  /** Connections that exist stay. @param anchor a loopback port that accepts, for `refusing` to hold on to */
  async enter(mode: FrontMode, anchor: number): Promise<void> {
    if (mode === this.#mode) return;
    this.release();
    if (mode === "open") await this.#listen();
    if (mode === "refusing") await this.#hold(anchor);
  }

  /** Lets go of the port. Idempotent. */
  release(): void {
    this.#server?.close();
    this.#server = undefined;
    this.#holder?.resetAndDestroy();
    this.#holder = undefined;
    this.#mode = "released";
  }

  async #listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, this.#accept);
    server.listen({ host: "127.0.0.1", port: this.#port });
    await this.#settled(once(server, "listening"));
    server.on("error", () => {});
    const bound = server.address();
    if (typeof bound === "object" && bound !== null) this.#port = bound.port;
    this.#server = server;
    this.#mode = "open";
  }

  async #hold(anchor: number): Promise<void> {
    const holder = connect({ host: "127.0.0.1", port: anchor, localAddress: "127.0.0.1", localPort: this.#port });
    await this.#settled(once(holder, "connect"));
    holder.on("error", () => {});
    holder.unref();
    this.#holder = holder;
    this.#mode = "refusing";
  }

  async #settled(opening: Promise<unknown>): Promise<void> {
    try {
      await opening;
    } catch (cause) {
      const message = `Could not have the port 127.0.0.1:${this.#port}: ${describeCause(cause)}.`;
      throw new LandfallError("emulator.listen-failed", message, { cause });
    }
  }
}
