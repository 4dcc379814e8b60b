import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Clock } from "../../clock.ts";
import type { Logger } from "../../log.ts";
import type { BlobStore } from "../blob-store.ts";
import type { Caller } from "../caller.ts";
import type { Dps } from "../dps/dps.ts";
import type { Hub } from "../hub/hub.ts";
import type { PathRefusal } from "../path-guard.ts";
import { blobHost, destinationOfHost, holderOf } from "../service-names.ts";
import { blobRoutes } from "./blob-routes.ts";
import { dpsRoutes } from "./dps-routes.ts";
import { type HttpAnswer, type HttpOutcome, jsonAnswer } from "./http-route.ts";
import { hubRoutes } from "./hub-routes.ts";
import { type RouteFault, Router } from "./router.ts";

/** What a {@link HttpsService} works with. */
export interface HttpsServiceParts {
  readonly dps: Dps;
  readonly hubs: readonly Hub[];
  readonly blobs: BlobStore;
  /** Names of services that are not emulated, and are only there. */
  readonly furtherHosts: readonly string[];
  /** Judges a caller by the path that he came by; undefined lets him in. */
  readonly refusalFor: (caller: Caller, idScope: string | undefined) => PathRefusal | undefined;
  /** Times answers that come late. */
  readonly clock: Clock;
  readonly log: Logger;
}

/** The HTTPS side of all services: finds out who is asked for what, reads the body, writes the answer. */
export class HttpsService {
  readonly #parts: HttpsServiceParts;
  readonly #dps: Router;
  readonly #hubs: ReadonlyMap<Hub, Router>;
  readonly #blobs: Router;

  constructor(parts: HttpsServiceParts) {
    this.#parts = parts;
    this.#dps = new Router(dpsRoutes(parts.dps));
    this.#hubs = new Map(parts.hubs.map((hub) => [hub, new Router(hubRoutes(hub))]));
    this.#blobs = new Router(blobRoutes(parts.blobs));
  }

  /** Serves one request to its end. Never rejects: whatever a client does, the emulator goes on. */
  async serve(request: IncomingMessage, response: ServerResponse, caller: Caller): Promise<void> {
    const { log } = this.#parts;
    try {
      const outcome = await this.#outcome(request, caller);
      const shown = typeof outcome === "string" ? outcome : outcome.status;
      log.debug(() => `${request.method} ${pathOf(request)}: ${shown}`);
      if (outcome === "drop") request.socket.destroy();
      else if (outcome !== "silence") await this.#send(response, outcome);
    } catch (error) {
      log.debug(() => `a request broke off: ${String(error)}`);
      request.socket.destroy();
    }
  }

  async #send(response: ServerResponse, answer: HttpAnswer): Promise<void> {
    const { delayMs, cutAfterBytes } = answer.delivery ?? {};
    if (delayMs !== undefined) {
      const gone = new AbortController();
      response.once("close", () => gone.abort(new Error("the client has gone")));
      await this.#parts.clock.sleep(delayMs, { signal: gone.signal });
    }
    if (cutAfterBytes === undefined) write(response, answer);
    else writeCut(response, bytesOf(answer).subarray(0, cutAfterBytes));
  }

  async #outcome(request: IncomingMessage, caller: Caller): Promise<HttpOutcome> {
    const { method = "", url = "", headers } = request;
    const path = pathOf(request);
    const refusal = this.#parts.refusalFor(caller, idScopeIn(path));
    if (refusal !== undefined) return jsonAnswer(refusal.http.status, JSON.stringify(refusal.http.body));
    if (this.#parts.furtherHosts.includes(caller.serverName ?? "")) return whoAreYou;
    const found = this.#routerFor(caller.serverName ?? headers.host ?? "", path).find(method, path);
    if (typeof found === "string") return faultAnswer(found, method, path);
    const { route, parameters } = found;
    const body = await read(request, route.maxBodyBytes);
    if (body === undefined) return { status: 413, headers: { connection: "close" } };
    const query = new URLSearchParams(url.slice(path.length + 1));
    return route.handle({ parameters, query, headers, body, caller });
  }

  /** By the name that was asked for; where that is none of Azure's, by what is asked. */
  #routerFor(host: string, path: string): Router {
    const { hubs } = this.#parts;
    const destination = destinationOfHost(host.replace(/:\d+$/, ""), hubs);
    if (destination?.service === "dps") return this.#dps;
    if (destination?.service === "hub") return this.#routerOf(destination.hub);
    if (host.toLowerCase().startsWith(blobHost)) return this.#blobs;
    const [, first = "", second = ""] = path.split("/");
    if (second === "registrations") return this.#dps;
    return first === "devices" ? this.#routerOf(holderOf(second, hubs)) : this.#blobs;
  }

  #routerOf(hub: Hub | undefined): Router {
    return (hub && this.#hubs.get(hub)) ?? this.#dps;
  }
}

/** What a service that is not emulated says to a stranger: it is there, and wants to know who asks. */
const whoAreYou: HttpOutcome = jsonAnswer(
  401,
  JSON.stringify({ error: { code: "AuthenticationFailed", message: "Credentials are missing." } }),
  { "www-authenticate": "Bearer" },
);

/** The DPS that is meant, when it is one. */
function idScopeIn(path: string): string | undefined {
  const [, idScope, registrations] = path.split("/");
  return registrations === "registrations" ? idScope : undefined;
}

function pathOf({ url = "" }: IncomingMessage): string {
  return url.split("?", 1)[0] ?? "";
}

function faultAnswer(fault: RouteFault, method: string, path: string): HttpOutcome {
  if (fault === "malformed-path") return jsonAnswer(400, JSON.stringify({ message: "The path is malformed." }));
  const status = fault === "no-such-method" ? 405 : 404;
  return jsonAnswer(status, JSON.stringify({ message: `The service does not serve ${method} ${path}.` }));
}

/** The body; `undefined` when it has more than `limit` bytes. */
async function read(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function write(response: ServerResponse, answer: HttpAnswer): void {
  response.writeHead(answer.status, headersOf(answer)).end(answer.body ?? "");
}

/** What goes over the wire for an answer. */
function bytesOf(answer: HttpAnswer): Buffer {
  const lines = Object.entries(headersOf(answer)).map(([name, value]) => `${name}: ${value}\r\n`);
  const { status, body = "" } = answer;
  return Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines.join("")}\r\n${body}`);
}

function headersOf({ status, headers = {}, body = "" }: HttpAnswer): Readonly<Record<string, string>> {
  return { ...headers, ...(status === 204 ? {} : { "content-length": String(Buffer.byteLength(body)) }) };
}

/** Past the server's own writer, which writes whole answers only. */
function writeCut({ socket }: ServerResponse, bytes: Buffer): void {
  if (bytes.length === 0) socket?.destroy();
  else socket?.write(bytes, () => socket.destroy());
}
