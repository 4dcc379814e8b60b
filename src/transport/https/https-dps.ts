import type { TlsIdentity } from "../../tls-identity.ts";
import { version } from "../../version.ts";
import type { CallOptions, DpsIdentity, DpsResponse, Route } from "../transport.ts";
import { exchangeHttps, type HttpsOptions, type HttpsResponse } from "./https-exchange.ts";

/** What {@link HttpsDps} takes. */
export interface HttpsDpsOptions extends HttpsOptions {
  /** Life of a token in milliseconds. Default one hour. */
  readonly tokenLifetimeMs?: number;
  /** Program and version that the service is told. Default: `landfall/` and this package's version. */
  readonly clientName?: string;
}

/** An answer of DPS over HTTPS. */
export interface HttpsDpsResponse extends DpsResponse {
  /** The header `x-ms-error-code`. */
  readonly errorCode?: string;
  /** The service's clock, milliseconds since the epoch, to the second. */
  readonly dateMs?: number;
}

/** The version of the interface that the stable libraries of DPS for HTTPS send. */
const apiVersion = "2021-06-01";

/** DPS over HTTPS. Every request is a connection of its own and carries its own credential. */
export class HttpsDps {
  readonly #options: HttpsDpsOptions;

  constructor(options: HttpsDpsOptions) {
    this.#options = options;
  }

  /**
   * Asks for the state of a registration; it registers nothing, and DPS does not charge for it. The body of the answer is the
   * registration state, or an error. Rejects as {@link exchangeHttps} does, or with `key.*`.
   */
  async lookUp(route: Route, identity: DpsIdentity, options: CallOptions = {}): Promise<HttpsDpsResponse> {
    const { idScope, registrationId } = identity;
    const path = `/${encodeURIComponent(idScope)}/registrations/${encodeURIComponent(registrationId)}`;
    const { headers, tlsIdentity } = await this.#authorize(identity, options);
    const request = {
      method: "POST",
      path: `${path}?api-version=${apiVersion}`,
      headers,
      body: JSON.stringify({ registrationId }),
    } as const;
    return answerOf(await exchangeHttps(this.#options, route, request, { ...options, identity: tlsIdentity }));
  }

  /** A certificate is shown in the handshake, a token in a header. */
  async #authorize(
    { idScope, registrationId, credential }: DpsIdentity,
    options: CallOptions,
  ): Promise<{ readonly headers: Record<string, string>; readonly tlsIdentity?: TlsIdentity }> {
    const { clock, tokenLifetimeMs = 3_600_000, clientName = `landfall/${version}` } = this.#options;
    const headers = { accept: "application/json", "content-type": "application/json", "user-agent": clientName };
    if (credential?.kind === "certificate") return { headers, tlsIdentity: credential.identity };
    const resource = `${idScope}/registrations/${registrationId}`;
    const expiresAtMs = clock.now() + tokenLifetimeMs;
    const token = await credential?.token({ resource, keyName: "registration", expiresAtMs }, options);
    return { headers: token === undefined ? headers : { ...headers, authorization: token.text.reveal() } };
  }
}

function answerOf({ status, headers, body }: HttpsResponse): HttpsDpsResponse {
  const retryAfterMs = secondsIn(headers["retry-after"]);
  const errorCode = headers["x-ms-error-code"];
  const dateMs = Date.parse(headers.date ?? "");
  return {
    status,
    body,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(typeof errorCode === "string" && /^[\w.-]{1,64}$/.test(errorCode) ? { errorCode } : {}),
    ...(Number.isNaN(dateMs) ? {} : { dateMs }),
  };
}

/** A delay in whole seconds, between one second and an hour, as milliseconds. */
function secondsIn(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,9}$/.test(text)) return undefined;
  return Math.min(Math.max(Number(text), 1), 3600) * 1000;
}
