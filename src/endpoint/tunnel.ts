import type { Socket } from "node:net";
import type { ProxyServer } from "./proxy.ts";

/**
 * Asks the proxy at the other end of `socket` for a tunnel. Resolves with the socket to go on with.
 * Rejects with `endpoint.proxy-failed`, or with `signal.reason`; `socket` is destroyed then.
 */
export async function openTunnel(
  proxy: ProxyServer,
  socket: Socket,
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<Socket> {
  const connect = proxy.protocol.startsWith("http")
    ? (await import("./http-tunnel.ts")).connectHttp
    : (await import("./socks-tunnel.ts")).connectSocks;
  const onAbort = (): void => void socket.destroy();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    signal.throwIfAborted();
    return await connect(proxy, socket, host, port);
  } catch (error) {
    socket.destroy();
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
