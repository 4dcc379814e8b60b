import type { CallOptions, DpsIdentity, Route } from "../transport.ts";
import { dpsAnswer, type HttpsDpsResponse } from "./dps-answer.ts";
import { dpsRequest, dpsToken, type HttpsDpsOptions } from "./dps-request.ts";
import { exchangeHttps } from "./https-exchange.ts";

/** What can be asked of DPS over HTTPS without registering. */
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
    const { registrationId, credential } = identity;
    const token = await dpsToken(identity, this.#options, options);
    const { clientName } = this.#options;
    const request = dpsRequest("POST", identity, "", { token, body: { registrationId }, clientName });
    const tlsIdentity = credential?.kind === "certificate" ? credential.identity : undefined;
    return dpsAnswer(await exchangeHttps(this.#options, route, request, { ...options, identity: tlsIdentity }));
  }
}
