import { LandfallError } from "../../errors.ts";
import type { SasToken } from "../../keys/credential.ts";
import type {
  CallOptions,
  DpsChannel,
  DpsIdentity,
  DpsRequest,
  DpsResponse,
  DpsTransport,
  Route,
} from "../transport.ts";
import { dpsAnswer } from "./dps-answer.ts";
import { dpsRequest, dpsToken, type HttpsDpsOptions } from "./dps-request.ts";
import { exchangeHttps } from "./https-exchange.ts";

/**
 * Registration over HTTPS: the only way that DPS takes a TPM, and one that any proxy carries. Each request has a
 * connection of its own, so a credential that is refused shows in the answer to a request (401), not at connect.
 */
export class HttpsDpsTransport implements DpsTransport {
  readonly name = "https";
  readonly abilities = { credentials: ["certificate", "sas"], challenge: true } as const;
  readonly #options: HttpsDpsOptions;

  constructor(options: HttpsDpsOptions) {
    this.#options = options;
  }

  /** Dials nobody yet. */
  async connect(route: Route, identity: DpsIdentity, { signal }: CallOptions = {}): Promise<DpsChannel> {
    signal?.throwIfAborted();
    return new HttpsDpsChannel(this.#options, route, identity);
  }
}

class HttpsDpsChannel implements DpsChannel {
  readonly #options: HttpsDpsOptions;
  readonly #route: Route;
  readonly #identity: DpsIdentity;
  readonly #life = new AbortController();
  #token: SasToken | undefined;

  constructor(options: HttpsDpsOptions, route: Route, identity: DpsIdentity) {
    this.#options = options;
    this.#route = route;
    this.#identity = identity;
  }

  async request(request: DpsRequest, { signal }: CallOptions = {}): Promise<DpsResponse> {
    signal?.throwIfAborted();
    this.#life.signal.throwIfAborted();
    const either = signal === undefined ? this.#life.signal : AbortSignal.any([signal, this.#life.signal]);
    try {
      return await this.#exchange(request, either);
    } catch (error) {
      this.#end("the connection to DPS is of no more use: an earlier request failed");
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#end("the connection to DPS was closed");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #exchange(request: DpsRequest, signal: AbortSignal): Promise<DpsResponse> {
    const { credential } = this.#identity;
    // One for all requests: a TPM takes its time to sign.
    this.#token ??= await dpsToken(this.#identity, this.#options, { signal });
    const about = { token: this.#token, clientName: this.#options.clientName };
    const sent =
      request.kind === "register"
        ? dpsRequest("PUT", this.#identity, "/register", { ...about, body: request.body })
        : dpsRequest("GET", this.#identity, `/operations/${encodeURIComponent(request.operationId)}`, about);
    const identity = credential?.kind === "certificate" ? credential.identity : undefined;
    const answer = dpsAnswer(await exchangeHttps(this.#options, this.#route, sent, { identity, signal }));
    const { status, retryAfterMs, body } = answer;
    return retryAfterMs === undefined ? { status, body } : { status, retryAfterMs, body };
  }

  #end(reason: string): void {
    this.#life.abort(new LandfallError("transport.closed", reason));
  }
}
