import { type IncomingHttpHeaders, type IncomingMessage, request as startRequest } from "node:http";
import type { Clock } from "../../clock.ts";
import { withDeadline } from "../../deadline.ts";
import type { DialedSocket, Dialer, DialPath } from "../../endpoint/dialer.ts";
import { describeCause, isLandfallError, LandfallError } from "../../errors.ts";
import type { TlsIdentity } from "../../tls-identity.ts";
import type { Route } from "../transport.ts";

/** One HTTP request. */
export interface HttpsRequest {
  readonly method: "GET" | "POST" | "PUT";
  /** From the slash on, percent-encoded. */
  readonly path: string;
  /** Beside `Host`, `Connection` and `Content-Length`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The whole answer to a request, whatever its status. */
export interface HttpsResponse {
  readonly status: number;
  /** By name in lower case. */
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly path: DialPath;
}

/** Who makes requests, and how. */
export interface HttpsOptions {
  readonly dialer: Dialer;
  readonly clock: Clock;
  /** Milliseconds from an open connection to the end of the answer. Default 30 000. */
  readonly requestTimeoutMs?: number;
}

/** DPS answers with a few KB; whatever sends more than this is not DPS. */
const maxBodyBytes = 262_144;

/**
 * Sends one request over a connection of its own, on port 443 unless the route names another, and waits for the whole answer.
 *
 * Rejects with `endpoint.*` or `key.*` as the dialer does, with `transport.closed`, `transport.timeout` or
 * `transport.protocol`, or with `signal.reason`; nothing stays open then.
 */
export async function exchangeHttps(
  { dialer, clock, requestTimeoutMs: ms = 30_000 }: HttpsOptions,
  route: Route,
  request: HttpsRequest,
  { identity, signal }: { readonly identity?: TlsIdentity | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<HttpsResponse> {
  const target = { port: 443, proxy: "allowed" as const, ...route };
  const dialed = await dialer.dial(target, { identity, signal });
  const expired = (): Error => new LandfallError("transport.timeout", `${route.host} did not answer within ${ms} ms`);
  try {
    return await withDeadline((limit) => exchange(dialed, target, request, limit), { clock, ms, expired, signal });
  } finally {
    dialed.socket.destroy();
  }
}

async function exchange(
  { socket, path: taken }: DialedSocket,
  { host, port }: { readonly host: string; readonly port: number },
  { method, path, headers, body }: HttpsRequest,
  signal: AbortSignal,
): Promise<HttpsResponse> {
  const name = port === 443 ? host : `${host}:${port}`;
  const outgoing = startRequest({
    method,
    path,
    headers: { ...headers, host: name, connection: "close" },
    createConnection: () => socket,
    signal,
  });
  // Errors are told through the promises below; one that comes later has nobody left to tell.
  outgoing.on("error", () => {});
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.once("response", resolve).once("error", reject);
      outgoing.end(body);
    });
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: await bodyOf(response, host),
      path: taken,
    };
  } catch (error) {
    throw signal.aborted ? signal.reason : exchangeError(host, error);
  }
}

async function bodyOf(response: IncomingMessage, host: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) {
      throw new LandfallError(
        "transport.protocol",
        `${host} sent more than ${maxBodyBytes} bytes in answer to a request`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function exchangeError(host: string, cause: unknown): Error {
  if (isLandfallError(cause)) return cause;
  const { code } = cause as NodeJS.ErrnoException;
  return code?.startsWith("HPE_")
    ? new LandfallError("transport.protocol", `${host} does not speak HTTP: ${describeCause(cause)}`, { cause })
    : new LandfallError("transport.closed", `${host} closed the connection before it answered`, { cause });
}
