import type { IncomingHttpHeaders } from "node:http";
import type { Caller } from "../caller.ts";
import type { Delivery } from "../faults/delivery.ts";

/** A request that a route has taken. */
export interface HttpRequest {
  /** The parts of the path that the route's pattern names, percent-decoded. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly caller: Caller;
}

/** An answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Default: at once and whole. */
  readonly delivery?: Delivery;
}

/** What becomes of a request: an answer, no answer at all, or a cut connection. */
export type HttpOutcome = HttpAnswer | "silence" | "drop";

/** One thing that can be asked of a service. */
export interface HttpRoute {
  readonly method: "GET" | "POST" | "PUT";
  /** `:name` stands for one part of the path, `*name` for all that is left of it. */
  readonly path: string;
  /** A longer body is answered with 413 and not read further. */
  readonly maxBodyBytes: number;
  handle(request: HttpRequest): HttpOutcome;
}

/** An answer with a JSON body. Clients read it only when the content type says so. */
export function jsonAnswer(status: number, body: string, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  return { status, headers: { "content-type": "application/json; charset=utf-8", ...headers }, body };
}
