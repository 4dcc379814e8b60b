import { createServer, type IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { systemClock } from "../../src/clock.ts";
import type { Dialer } from "../../src/endpoint/dialer.ts";
import { TlsDialer } from "../../src/endpoint/tls-dialer.ts";
import { startTlsPeer, testTrust } from "./tls-peer.ts";

/** One request as it arrived. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** What an {@link HttpsPeer} answers; text is written to the connection as it is, and `hang-up` closes it. */
export type HttpsAnswer =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  | { readonly bytes: string }
  | "silence"
  | "hang-up";

/** An HTTPS server on loopback, and a dialer that finds every name there. */
export interface HttpsPeer extends AsyncDisposable {
  readonly dialer: Dialer;
  readonly seen: SeenRequest[];
  /** TCP connections that are open now. */
  readonly openSockets: number;
  idle(): Promise<void>;
}

/** Starts an {@link HttpsPeer} for some names. */
export async function startHttpsPeer(names: readonly string[], answer: () => HttpsAnswer): Promise<HttpsPeer> {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      seen.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers, body });
      const given = answer();
      if (given === "hang-up") request.socket.destroy();
      else if (given === "silence") return;
      else if ("bytes" in given) request.socket.end(given.bytes);
      else response.writeHead(given.status, given.headers).end(given.body ?? "");
    });
  });
  const peer = await startTlsPeer((socket: TLSSocket) => server.emit("connection", socket), { names });
  const rule = { toHost: "127.0.0.1", toPort: peer.port, text: `::127.0.0.1:${peer.port}` };
  return {
    dialer: new TlsDialer({ clock: systemClock, trustBundle: await testTrust(), connectTo: [rule] }),
    seen,
    get openSockets() {
      return peer.openSockets;
    },
    idle: () => peer.idle(),
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}
