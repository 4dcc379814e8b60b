import { once } from "node:events";
import { rmSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { LandfallError } from "../../src/errors.ts";
import type { AttachLine, Line } from "./line.ts";

/** Where to listen: a Unix socket, or TCP. */
export type SocketPlace = { readonly path: string } | { readonly host: string; readonly port: number };

/**
 * A line behind a socket, as QEMU and ser2net have it. Whoever connects last is the one that the MCU is on.
 * Rejects with `simulator.rejected` when it cannot listen there.
 */
export async function openSocketLine(attach: AttachLine, place: SocketPlace): Promise<Line> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    attach(socket);
  });
  try {
    server.listen(place);
    await once(server, "listening");
  } catch (cause) {
    const where = "path" in place ? place.path : `${place.host}:${place.port}`;
    throw new LandfallError("simulator.rejected", `cannot listen at ${where}`, { cause });
  }
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    if (!server.listening) return;
    await new Promise((resolve) => server.close(resolve));
    if ("path" in place) rmSync(place.path, { force: true });
  };
  return { address: addressOf(place, server.address()), close, [Symbol.asyncDispose]: close };
}

function addressOf(place: SocketPlace, listening: AddressInfo | string | null): string {
  if ("path" in place) return `unix:${place.path}`;
  const port = typeof listening === "object" && listening ? listening.port : place.port;
  return `tcp://${place.host.includes(":") ? `[${place.host}]` : place.host}:${port}`;
}
