import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket as TcpSocket } from "node:net";
import { type Answer, type DecodedPacket, decode, encode, type Question, TRUNCATED_RESPONSE } from "dns-packet";
import type { NameServer } from "../../src/endpoint/name-server.ts";

/** What a {@link DnsServer} answers to one question. */
export interface DnsReply {
  /** Default 0 (NOERROR). */
  readonly rcode?: number;
  readonly answers?: readonly Answer[];
  readonly authorities?: readonly Answer[];
  readonly truncated?: boolean;
  /** Default: the question that was asked. */
  readonly questions?: readonly Question[];
  /** Added to the query's id. */
  readonly idOffset?: number;
  /** Sent as a query, with QR = 0. */
  readonly notAResponse?: boolean;
  /** Sent instead of a message. */
  readonly bytes?: Buffer;
}

/** One question as it arrived. */
export interface DnsQuestionSeen extends Question {
  readonly carrier: "udp" | "tcp";
  /** From where it came; where a forger has to send to. */
  readonly from: { readonly address: string; readonly port: number };
}

/** Answers one question with any number of messages, in order; none is silence. */
export type DnsBehaviour = (question: DnsQuestionSeen, nth: number) => readonly DnsReply[];

/** A name server on loopback, UDP and TCP on one port, that says whatever a test wants said. */
export class DnsServer {
  readonly seen: DnsQuestionSeen[] = [];
  readonly server: NameServer;
  readonly #udp: Socket;
  readonly #close: () => Promise<void>;

  private constructor(udp: Socket, port: number, close: () => Promise<void>) {
    this.#udp = udp;
    this.server = { address: "127.0.0.1", port };
    this.#close = close;
  }

  /** @param tcp whether TCP is served; without it, connections are refused */
  static async start(behaviour: DnsBehaviour, { tcp = true }: { tcp?: boolean } = {}): Promise<DnsServer> {
    for (;;) {
      const udp = createSocket("udp4");
      udp.bind(0, "127.0.0.1");
      await once(udp, "listening");
      const { port } = udp.address();
      const connections = new Set<TcpSocket>();
      const listener = createServer((socket) => connections.add(socket));
      if (tcp) {
        const listening = await new Promise<boolean>((resolve) => {
          listener.once("error", () => resolve(false));
          listener.listen(port, "127.0.0.1", () => resolve(true));
        });
        // Another process may have the TCP port of that number.
        if (!listening) {
          udp.close();
          continue;
        }
      }
      const started = new DnsServer(udp, port, async () => {
        udp.close();
        for (const socket of connections) socket.destroy();
        if (tcp) await new Promise<void>((resolve) => listener.close(() => resolve()));
      });
      started.#serveUdp(behaviour);
      listener.on("connection", (socket) => started.#serveTcp(behaviour, socket));
      return started;
    }
  }

  /** Sends a datagram from another port than the server's own, as an off-path forger does. */
  static async forge(bytes: Buffer, to: { readonly address: string; readonly port: number }): Promise<void> {
    const socket = createSocket("udp4");
    await new Promise<void>((resolve, reject) =>
      socket.send(bytes, to.port, to.address, (error) => (error ? reject(error) : resolve())),
    );
    socket.close();
  }

  #serveUdp(behaviour: DnsBehaviour): void {
    this.#udp.on("message", (bytes: Buffer, from: RemoteInfo) => {
      for (const reply of this.#replies(behaviour, bytes, "udp", from)) this.#udp.send(reply, from.port, from.address);
    });
  }

  #serveTcp(behaviour: DnsBehaviour, socket: TcpSocket): void {
    const { address, port } = socket.address() as AddressInfo;
    socket.on("error", () => {});
    socket.on("data", (bytes: Buffer) => {
      for (const reply of this.#replies(behaviour, bytes.subarray(2), "tcp", { address, port })) {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(reply.length);
        socket.write(Buffer.concat([length, reply]));
      }
    });
  }

  #replies(
    behaviour: DnsBehaviour,
    bytes: Buffer,
    carrier: "udp" | "tcp",
    { address, port }: { readonly address: string; readonly port: number },
  ): Buffer[] {
    const query = decode(bytes);
    const [question] = query.questions ?? [];
    if (question === undefined) return [];
    const seen: DnsQuestionSeen = { ...question, carrier, from: { address, port } };
    this.seen.push(seen);
    return behaviour(seen, this.seen.length).map((reply) => encodeReply(query, reply));
  }

  async close(): Promise<void> {
    await this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The bytes of a reply to `query`. */
export function encodeReply(query: Pick<DecodedPacket, "id" | "questions">, reply: DnsReply): Buffer {
  if (reply.bytes !== undefined) return reply.bytes;
  return encode({
    type: reply.notAResponse ? "query" : "response",
    id: ((query.id ?? 0) + (reply.idOffset ?? 0)) & 0xffff,
    flags: (reply.rcode ?? 0) | (reply.truncated ? TRUNCATED_RESPONSE : 0),
    questions: [...(reply.questions ?? query.questions ?? [])],
    answers: [...(reply.answers ?? [])],
    authorities: [...(reply.authorities ?? [])],
  });
}

/** An address record. */
export const a = (name: string, data: string, ttl = 60): Answer => ({ type: "A", name, data, ttl });
export const aaaa = (name: string, data: string, ttl = 60): Answer => ({ type: "AAAA", name, data, ttl });
/** An alias. */
export const cname = (name: string, data: string, ttl = 60): Answer => ({ type: "CNAME", name, data, ttl });
/** The authority for "no such record". */
export const soa = (name: string, mname: string): Answer => ({
  type: "SOA",
  name,
  ttl: 60,
  data: { mname, rname: `hostmaster.${mname}`, serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 1 },
});
