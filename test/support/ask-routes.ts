import type { IncomingHttpHeaders } from "node:http";
import type { Caller } from "../../src/emulator/caller.ts";
import type { HttpAnswer, HttpOutcome, HttpRoute } from "../../src/emulator/https/http-route.ts";
import { Router } from "../../src/emulator/https/router.ts";

/** What a request brings along, beside its line. */
export interface AskOptions {
  readonly headers?: IncomingHttpHeaders;
  readonly body?: string | Buffer;
  readonly certificates?: Caller["certificates"];
}

/** Asks a table of routes as an HTTPS client would, without a connection. Throws when there is no route. */
export function askRoutes(
  routes: readonly HttpRoute[],
  line: `${"GET" | "POST" | "PUT"} ${string}`,
  { headers = {}, body = "", certificates = [] }: AskOptions = {},
): HttpOutcome {
  const [method = "", url = ""] = line.split(" ");
  const [path = "", query = ""] = url.split("?");
  const found = new Router(routes).find(method, path);
  if (typeof found === "string") throw new Error(`${line}: ${found}`);
  const caller = { remoteAddress: "127.0.0.1", certificates };
  const { route, parameters } = found;
  return route.handle({ parameters, query: new URLSearchParams(query), headers, body: Buffer.from(body), caller });
}

/** The answer in an outcome, its body parsed where it is JSON. Throws when there is none. */
export function answerOf(outcome: HttpOutcome): HttpAnswer & { readonly json: Record<string, unknown> } {
  if (typeof outcome === "string") throw new Error(`expected an answer, got ${outcome}`);
  const isJson = outcome.headers?.["content-type"]?.startsWith("application/json");
  return { ...outcome, json: isJson ? JSON.parse(outcome.body ?? "") : {} };
}
