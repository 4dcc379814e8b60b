import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { type DecodedPacket, decode, encode, RECURSION_DESIRED, type RecordType } from "dns-packet";

/** A response as the wire has it; `rcode` is missing from the package's types. */
export type WireResponse = DecodedPacket & { readonly rcode: string };

let nextId = 1;

/** The bytes of a query. */
export function queryBytes(name: string, type: string, id = nextId++): Buffer {
  return encode({ type: "query", id, flags: RECURSION_DESIRED, questions: [{ name, type: type as RecordType }] });
}

/** Decodes a response. */
export function decoded(bytes: Buffer): WireResponse {
  return decode(bytes) as WireResponse;
}

/** Whether a datagram answers a query, by the rules of RFC 5452. */
function answers(bytes: Buffer, query: Buffer): boolean {
  const [response, asked] = [decoded(bytes), decoded(query)];
  return response.flag_qr && response.id === asked.id && response.questions?.[0]?.name === asked.questions?.[0]?.name;
}

/** A UDP client of one name server that takes what answers its queries, and keeps what does not. */
export class UdpClient {
  readonly #socket: Socket = createSocket("udp4");
  readonly #port: number;
  readonly strays: Buffer[] = [];
  readonly #waiting = new Map<number, { query: Buffer; resolve: (bytes: Buffer) => void }>();

  constructor(server: string) {
    this.#port = Number(server.split(":")[1]);
    this.#socket.bind({ address: "127.0.0.1" });
    this.#socket.on("message", (bytes, { port }) => {
      const waiting = bytes.length >= 2 ? this.#waiting.get(bytes.readUInt16BE(0)) : undefined;
      if (port === this.#port && waiting !== undefined && fits(bytes, waiting.query)) waiting.resolve(bytes);
      else this.strays.push(bytes);
    });
  }

  /** Resolves with the raw answer. */
  async askRaw(name: string, type: string): Promise<Buffer> {
    const query = queryBytes(name, type);
    const answer = new Promise<Buffer>((resolve) => {
      this.#waiting.set(query.readUInt16BE(0), { query, resolve });
    });
    this.send(query);
    return answer;
  }

  async ask(name: string, type: string): Promise<WireResponse> {
    return decoded(await this.askRaw(name, type));
  }

  send(bytes: Buffer): void {
    this.#socket.send(bytes, this.#port, "127.0.0.1");
  }

  close(): void {
    this.#socket.close();
  }
}

function fits(bytes: Buffer, query: Buffer): boolean {
  try {
    return answers(bytes, query);
  } catch {
    // What cannot be decoded is taken by its id, so that a test can look at it.
    return true;
  }
}

/** Asks over TCP; undefined when the connection ends without an answer. */
export async function askTcp(server: string, name: string, type: string): Promise<WireResponse | undefined> {
  const socket = connect({ host: "127.0.0.1", port: Number(server.split(":")[1]) });
  const query = queryBytes(name, type);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(query.length);
  let received = Buffer.alloc(0);
  try {
    await once(socket, "connect");
    socket.write(Buffer.concat([length, query]));
    for await (const chunk of socket) {
      received = Buffer.concat([received, chunk as Buffer]);
      if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) return decoded(received.subarray(2));
    }
    return undefined;
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

/** The error that a UDP client meets at a port on which no name server runs. */
export async function udpError(server: string): Promise<string | undefined> {
  const probe = createSocket("udp4");
  probe.bind({ address: "127.0.0.1" });
  try {
    await once(probe, "listening");
    probe.connect(Number(server.split(":")[1]), "127.0.0.1");
    await once(probe, "connect");
    probe.send("anything");
    const [error] = (await once(probe, "error")) as [NodeJS.ErrnoException];
    return error.code;
  } finally {
    probe.close();
  }
}
