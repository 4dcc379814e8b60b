import type { Socket } from "node:net";
import { SocksClient } from "socks";
import { describeCause, LandfallError } from "../errors.ts";
import { shown } from "./dial-error.ts";
import type { ProxyServer } from "./proxy.ts";

/** A backstop only: long before, the caller's own limit destroys the socket. */
const backstopMs = 120_000;

/** SOCKS 5 over `socket`, with user name and password if the proxy has them. Rejects with `endpoint.proxy-failed`. */
export async function connectSocks(proxy: ProxyServer, socket: Socket, host: string, port: number): Promise<Socket> {
  const { user, password } = proxy.credentials ?? {};
  try {
    const { socket: tunnel } = await SocksClient.createConnection({
      command: "connect",
      destination: { host, port },
      existing_socket: socket,
      timeout: backstopMs,
      proxy: {
        host: proxy.host,
        port: proxy.port,
        type: 5,
        ...(user === undefined ? {} : { userId: user }),
        ...(password === undefined ? {} : { password: password.reveal() }),
      },
    });
    return tunnel;
  } catch (error) {
    // The library's error carries its options, the password among them, so it must not travel as the cause.
    const reason = describeCause(error);
    throw new LandfallError(
      "endpoint.proxy-failed",
      `the proxy ${proxy.name} made no connection to ${shown(host, port)}: ${reason}`,
      { cause: new Error(reason) },
    );
  }
}
