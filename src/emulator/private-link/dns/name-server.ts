import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Socket, type Server as TcpServer } from "node:net";
import { type Clock, systemClock } from "../../../clock.ts";
import { describeCause, LandfallError } from "../../../errors.ts";
import { findLastingPort } from "../lasting-port.ts";
import type { DnsQuestion, ResponseCode } from "./message.ts";
import type { Deliveries, Delivery, DnsCarrier } from "./treatment.ts";
import { type DnsQuery, encodeCode, encodeDelivery, readQuery } from "./wire.ts";

/** Decides what is sent in answer to a question. */
export type DnsResponder = (question: DnsQuestion, carrier: DnsCarrier) => Deliveries;

/** How a name server can be reached: `udp-only` refuses TCP, `nothing` is a machine on which no name server runs. */
export type DnsReach = "udp-and-tcp" | "udp-only" | "nothing";

/** One query that came in. */
export interface QueryRecord {
  /** By the clock of the server, milliseconds since the Unix epoch. */
  readonly atMs: number;
  readonly carrier: DnsCarrier;
  readonly name: string;
  readonly type: string;
  /** The codes that were sent, forgeries included; empty for silence. */
  readonly codes: readonly ResponseCode[];
}

/** UDP answers above this are truncated: what resolvers agree on as safe from fragmentation. */
const largestUdpBytes = 1232;

/** Queries that are kept for {@link NameServer.queries}. */
const keptQueries = 10_000;

/** Where a name server listens, and by which clock it keeps its record. */
export interface NameServerOptions {
  /** Default: the machine's own. */
  readonly clock?: Clock | undefined;
  /** IPv4 address of this machine. Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Default: a free one. */
  readonly port?: number | undefined;
}

/** A name server on a port of its own, UDP and TCP. It survives whatever it is sent. */
export class NameServer {
  readonly #clock: Clock;
  readonly #queries: QueryRecord[] = [];
  readonly #sockets = new Set<Socket>();
  #respond: DnsResponder;
  #udp: UdpSocket | undefined;
  #tcp: TcpServer | undefined;
  readonly #host: string;
  #port: number;

  private constructor(respond: DnsResponder, { clock = systemClock, host = "127.0.0.1", port = 0 }: NameServerOptions) {
    this.#respond = respond;
    this.#clock = clock;
    this.#host = host;
    this.#port = port;
  }

  /** Opens a name server. Rejects with `emulator.listen-failed`. */
  static async open(respond: DnsResponder, options: NameServerOptions = {}): Promise<NameServer> {
    const server = new NameServer(respond, options);
    if (options.port !== undefined) await server.#open(options.port);
    else await findLastingPort((port) => server.#open(port));
    return server;
  }

  /** `<address>:<port>`, the form in which clients are told of a name server. */
  get address(): string {
    return `${this.#host}:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  /** The queries that came in, oldest first; the last 10 000. */
  get queries(): readonly QueryRecord[] {
    return this.#queries;
  }

  /** Answers in another way from now on. */
  respondWith(respond: DnsResponder): void {
    this.#respond = respond;
  }

  /** Changes what can be reached; the port stays. Rejects with `emulator.listen-failed` when it was taken meanwhile. */
  async reach(how: DnsReach): Promise<void> {
    try {
      if (how !== "udp-and-tcp") await this.#closeTcp();
      else if (this.#tcp === undefined) await this.#openTcp();
      if (how === "nothing") await this.#closeUdp();
      else if (this.#udp === undefined) await this.#openUdp();
    } catch (cause) {
      const message = `Could not listen as a name server on ${this.address}: ${describeCause(cause)}.`;
      throw new LandfallError("emulator.listen-failed", message, { cause });
    }
  }

  /** Closes both ports and cuts every TCP connection. Idempotent. */
  async close(): Promise<void> {
    await this.reach("nothing");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #open(port: number): Promise<void> {
    this.#port = port;
    try {
      await this.reach("udp-and-tcp");
    } catch (error) {
      // What is free for TCP may be taken for UDP.
      await this.close();
      throw error;
    }
  }

  async #openTcp(): Promise<void> {
    const tcp = createServer((socket) => this.#serveTcp(socket));
    tcp.listen({ host: this.#host, port: this.#port });
    await once(tcp, "listening");
    tcp.on("error", () => {});
    this.#tcp = tcp;
  }

  async #openUdp(): Promise<void> {
    const udp = createSocket("udp4");
    udp.bind({ address: this.#host, port: this.#port });
    try {
      await once(udp, "listening");
    } catch (error) {
      udp.close();
      throw error;
    }
    udp.on("error", () => {});
    udp.on("message", (bytes, from) => void this.#serveUdp(udp, bytes, from));
    this.#udp = udp;
  }

  async #closeTcp(): Promise<void> {
    const tcp = this.#tcp;
    this.#tcp = undefined;
    if (tcp === undefined) return;
    const closed = once(tcp, "close");
    tcp.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #closeUdp(): Promise<void> {
    const udp = this.#udp;
    this.#udp = undefined;
    if (udp === undefined) return;
    const closed = once(udp, "close");
    udp.close();
    await closed;
  }

  async #serveUdp(udp: UdpSocket, bytes: Buffer, from: RemoteInfo): Promise<void> {
    const arrived = readQuery(bytes);
    if (arrived.kind === "unusable") await send(udp, encodeCode(arrived.id, arrived.code), from);
    if (arrived.kind !== "query") return;
    const { query } = arrived;
    for (const delivery of this.#answer(query, "udp")) {
      if (delivery.forged === "source") await sendFromElsewhere(encodeDelivery(query, delivery), from);
      else await send(udp, fitted(query, delivery), from);
    }
  }

  #serveTcp(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    socket.on("error", () => {});
    let pending = Buffer.alloc(0);
    socket.on("data", (bytes) => {
      pending = Buffer.concat([pending, bytes]);
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const end = 2 + pending.readUInt16BE(0);
        const message = pending.subarray(2, end);
        pending = pending.subarray(end);
        if (!this.#serveFrame(socket, message)) return;
      }
    });
  }

  /** Whether the connection goes on. */
  #serveFrame(socket: Socket, message: Buffer): boolean {
    const arrived = readQuery(message);
    if (arrived.kind === "nothing") {
      socket.destroy();
      return false;
    }
    if (arrived.kind === "unusable") {
      socket.write(framed(encodeCode(arrived.id, arrived.code)));
      return true;
    }
    const { query } = arrived;
    const deliveries = this.#answer(query, "tcp");
    if (deliveries === undefined) {
      socket.resetAndDestroy();
      return false;
    }
    for (const delivery of deliveries) socket.write(framed(encodeDelivery(query, delivery)));
    return true;
  }

  #answer(query: DnsQuery, carrier: "udp"): readonly Delivery[];
  #answer(query: DnsQuery, carrier: DnsCarrier): readonly Delivery[] | undefined;
  #answer({ question }: DnsQuery, carrier: DnsCarrier): readonly Delivery[] | undefined {
    const deliveries = this.#respond(question, carrier);
    const sent = deliveries === "hang-up" ? [] : deliveries;
    this.#queries.push({ atMs: this.#clock.now(), carrier, ...question, codes: sent.map(({ reply }) => reply.code) });
    if (this.#queries.length > keptQueries) this.#queries.shift();
    return deliveries === "hang-up" && carrier === "tcp" ? undefined : sent;
  }
}

/** A message of a size that UDP carries: what is too long goes without its records, and with the TC bit. */
function fitted(query: DnsQuery, delivery: Delivery): Buffer {
  const message = encodeDelivery(query, delivery);
  if (message.length <= largestUdpBytes) return message;
  return encodeDelivery(query, { reply: { code: delivery.reply.code, answers: [] }, truncated: true });
}

function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** Resolves when the message is on its way or cannot go, for its reader may have left and the server may be closing. */
function send(from: UdpSocket, message: Buffer, to: RemoteInfo): Promise<void> {
  return new Promise((resolve) => {
    try {
      from.send(message, to.port, to.address, () => resolve());
    } catch {
      resolve();
    }
  });
}

/** As somebody does who knows a query's port but cannot send from the server's own. */
async function sendFromElsewhere(message: Buffer, to: RemoteInfo): Promise<void> {
  const socket = createSocket("udp4");
  socket.on("error", () => {});
  socket.bind({ address: "127.0.0.1" });
  await send(socket, message, to);
  socket.close();
}
