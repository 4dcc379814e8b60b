import http, { type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { describeCause, LandfallError } from "../errors.ts";
import { shown } from "./dial-error.ts";
import type { ProxyServer } from "./proxy.ts";

/** What the usual refusals of a proxy mean for the reader. */
const advice: Readonly<Record<number, string>> = {
  403: "it does not allow this destination",
  407: "it wants credentials, or other ones than the proxy setting has",
  502: "it could not reach the destination",
  503: "it could not reach the destination",
  504: "it got no answer from the destination",
};

/** HTTP CONNECT over `socket`, with Basic credentials if the proxy has any. Rejects with `endpoint.proxy-failed`. */
export async function connectHttp(proxy: ProxyServer, socket: Socket, host: string, port: number): Promise<Socket> {
  const destination = shown(host, port);
  const request = http.request({
    method: "CONNECT",
    path: destination,
    headers: { host: destination, ...authorization(proxy) },
    createConnection: () => socket,
  });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const failed = (cause: unknown): LandfallError => {
      const message = `the proxy ${proxy.name} made no connection to ${destination}: ${describeCause(cause)}`;
      return new LandfallError("endpoint.proxy-failed", message, { cause });
    };
    request.once("connect", (answer, _socket, head) => {
      // The first bytes from behind the proxy may have come along with its answer.
      if (head.length > 0) socket.unshift(head);
      resolve(answer);
    });
    // A proxy that does not know CONNECT answers as to any other request.
    request.once("response", resolve);
    request.once("error", (cause) => reject(failed(cause)));
    request.end();
  });
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return socket;
  const meaning = advice[status] ?? "it refused";
  throw new LandfallError(
    "endpoint.proxy-failed",
    `the proxy ${proxy.name} answered ${status} for ${destination}: ${meaning}`,
    { service: { status } },
  );
}

function authorization({ credentials }: ProxyServer): { "proxy-authorization"?: string } {
  if (!credentials) return {};
  const text = `${credentials.user}:${credentials.password.reveal()}`;
  return { "proxy-authorization": `Basic ${Buffer.from(text).toString("base64")}` };
}
