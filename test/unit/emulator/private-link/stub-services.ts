import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Upstreams } from "../../../../src/emulator/private-link/network/address-book.ts";
import type { PrivateLinkWorld } from "../../../../src/emulator/private-link/world.ts";

/** What a stub service tells a client about the path it came by. */
export interface Told {
  readonly service: string;
  readonly arrivedAt?: string;
  readonly from?: string;
}

/** Plain TCP services behind a world: each answers the first bytes of a client with what the world knows of its path. */
export class StubServices {
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly upstreams: Upstreams;
  /** The world that is asked where clients come from. */
  world: PrivateLinkWorld | undefined;

  private constructor(ports: Upstreams) {
    this.upstreams = ports;
  }

  static async open(): Promise<StubServices> {
    const stub = new StubServices({ services: {} });
    const services: Record<number, number> = {};
    for (const port of [443, 8883, 5671]) services[port] = await stub.#listen(`service ${port}`);
    Object.assign(stub, { upstreams: { services, stranger: await stub.#listen("stranger") } });
    return stub;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#servers.map((server) => once(server.close(), "close")));
  }

  async #listen(service: string): Promise<number> {
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => this.#sockets.delete(socket));
      socket.once("data", () => {
        const arrival = this.world?.resolveArrival(socket);
        const told: Told = { service, ...(arrival ? { arrivedAt: arrival.address, from: arrival.from } : {}) };
        socket.write(JSON.stringify(told));
      });
    });
    this.#servers.push(server);
    await once(server.listen(0, "127.0.0.1"), "listening");
    const bound = server.address();
    return typeof bound === "object" && bound !== null ? bound.port : 0;
  }
}

/** The loopback port that stands for an address and port in a list of rules. */
export function loopbackPort(rules: readonly string[], address: string, port: number): number {
  const host = address.includes(":") ? `[${address}]` : address;
  const rule = rules.find((each) => each.startsWith(`${host}:${port}:127.0.0.1:`));
  if (rule === undefined) throw new Error(`no rule for ${host}:${port}`);
  return Number(rule.split(":").at(-1));
}

/** What a client saw at a loopback port: what it was told, or how it ended. */
export type Seen = Told | "refused" | "reset" | "closed";

/** Connects, says hello, and waits for what comes. Never ends where nothing ever comes. */
export async function knock(port: number): Promise<Seen> {
  const socket = connect({ host: "127.0.0.1", port });
  try {
    await once(socket, "connect");
    socket.write("hello");
    const [bytes] = (await Promise.race([once(socket, "data"), once(socket, "end").then(() => [undefined])])) as [
      Buffer | undefined,
    ];
    return bytes === undefined ? "closed" : (JSON.parse(bytes.toString()) as Told);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ECONNREFUSED") return "refused";
    if (code === "ECONNRESET") return "reset";
    throw error;
  } finally {
    socket.destroy();
  }
}
