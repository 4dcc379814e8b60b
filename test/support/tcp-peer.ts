import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";

/** A TCP server on loopback. */
export interface TcpPeer extends AsyncDisposable {
  readonly port: number;
  /** Every connection it accepted. */
  readonly accepted: readonly Socket[];
}

/** Starts a {@link TcpPeer} on a free port; without `onConnection` it reads and says nothing. */
export async function startTcpPeer(onConnection: (socket: Socket) => void = () => {}): Promise<TcpPeer> {
  const accepted: Socket[] = [];
  const server = net.createServer((socket) => {
    accepted.push(socket.on("error", () => {}).resume());
    onConnection(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    accepted,
    async [Symbol.asyncDispose]() {
      for (const socket of accepted) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
