import type { IncomingMessage, ServerResponse } from "node:http";
import type { ConnectedPeer } from "../mqtt/peer.ts";
import type { HttpExchange, HttpReply } from "./http-exchange.ts";

/** Answers a request, whoever it is for. */
export type HttpRouter = (exchange: HttpExchange) => HttpReply;

/** More than any request to these services has. */
const maxBodyBytes = 98_304;

/** Takes requests in, and hands their heads to `route` once their bodies have arrived. */
export function httpFront(
  route: HttpRouter,
): (request: IncomingMessage, response: ServerResponse, peer: ConnectedPeer) => void {
  return (request, response, peer) => {
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBodyBytes) request.destroy();
    });
    request.on("error", () => {});
    request.once("end", () => {
      const { method = "", url = "/", headers } = request;
      const [path = "/"] = url.split("?");
      const reply = route({ method, path, authorization: headers.authorization, peer });
      response.writeHead(reply.status, { "content-type": "application/json; charset=utf-8", ...reply.headers });
      response.end(reply.body);
    });
  };
}

/** What a service that is not emulated says to a stranger: it is there, and wants to know who asks. */
export const whoAreYou: HttpReply = {
  status: 401,
  headers: { "www-authenticate": "Bearer" },
  body: JSON.stringify({ error: { code: "AuthenticationFailed", message: "Credentials are missing." } }),
};

/** What DPS and hubs say to a request that the emulator does not know. */
export const notKnownHere: HttpReply = { status: 404, body: JSON.stringify({ message: "Not emulated." }) };
