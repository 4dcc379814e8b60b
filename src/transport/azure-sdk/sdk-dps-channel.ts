import type { Clock } from "../../clock.ts";
import { withDeadline } from "../../deadline.ts";
import { type Deferred, deferred } from "../../deferred.ts";
import { LandfallError } from "../../errors.ts";
import type { JsonObject } from "../../json.ts";
import type { CallOptions, DpsChannel, DpsRequest, DpsResponse } from "../transport.ts";
import { responseFromError, responseFromResult } from "./sdk-dps-response.ts";
import { connectionError } from "./sdk-errors.ts";
import { hangUp } from "./sdk-hang-up.ts";
import type { SdkDpsTransport, SdkRegistrationCallback, SdkRegistrationRequest } from "./sdk-shapes.ts";

/** A delay that no service asks for: what comes back when the service has asked for none. */
const noDelay = { pollingInterval: 0 };

/** One transport of the library, for one identity. It connects with the first request. */
export class SdkDpsChannel implements DpsChannel {
  readonly #transport: SdkDpsTransport;
  readonly #who: Omit<SdkRegistrationRequest, "payload">;
  readonly #clock: Clock;
  readonly #requestTimeoutMs: number;
  #waiting: Deferred<DpsResponse> | undefined;
  #over: LandfallError | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    transport: SdkDpsTransport,
    who: Omit<SdkRegistrationRequest, "payload">,
    { clock, requestTimeoutMs }: { readonly clock: Clock; readonly requestTimeoutMs: number },
  ) {
    this.#transport = transport;
    this.#who = who;
    this.#clock = clock;
    this.#requestTimeoutMs = requestTimeoutMs;
    transport.setTransportOptions(noDelay);
    transport.on("error", (error) => this.#end(connectionError(who.provisioningHost, error)));
  }

  async request(request: DpsRequest, { signal }: CallOptions = {}): Promise<DpsResponse> {
    signal?.throwIfAborted();
    if (this.#over) throw this.#closed(this.#over);
    const { provisioningHost: host } = this.#who;
    const ms = this.#requestTimeoutMs;
    const expired = (): Error =>
      new LandfallError("transport.timeout", `${host} did not answer a ${request.kind} request within ${ms} ms`);
    try {
      return await withDeadline(() => this.#send(request), { clock: this.#clock, ms, expired, signal });
    } catch (error) {
      // The library cannot take one request back and go on with the next.
      this.#end(connectionError(host, error));
      throw error;
    }
  }

  close(): Promise<void> {
    this.#end(new LandfallError("transport.closed", "the channel was closed on this side"));
    this.#closing ??= hangUp((done) => this.#transport.disconnect(done), this.#clock);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #send(request: DpsRequest): Promise<DpsResponse> {
    const waiting = deferred<DpsResponse>();
    this.#waiting = waiting;
    const settle: SdkRegistrationCallback = (error, result, response, delayMs) => {
      const answer = error ? responseFromError(error) : responseFromResult(result, response, delayMs);
      if (answer) waiting.resolve(answer);
      else waiting.reject(connectionError(this.#who.provisioningHost, error));
    };
    try {
      if (request.kind === "register") this.#transport.registrationRequest(this.#registration(request.body), settle);
      else this.#transport.queryOperationStatus(this.#who, request.operationId, settle);
    } catch (error) {
      waiting.reject(connectionError(this.#who.provisioningHost, error));
    }
    return waiting.promise;
  }

  /** The library writes the body itself and knows two members. */
  #registration({ registrationId: _, payload, ...rest }: JsonObject): SdkRegistrationRequest {
    const [unknown] = Object.keys(rest);
    if (unknown !== undefined) {
      throw new LandfallError("transport.unsupported", `the Azure SDK cannot send the member ${unknown} to DPS`);
    }
    return payload === undefined ? this.#who : { ...this.#who, payload: payload as JsonObject };
  }

  #end(reason: LandfallError): void {
    this.#over ??= reason;
    this.#waiting?.reject(this.#closed(this.#over));
  }

  #closed(cause: LandfallError): LandfallError {
    if (cause.code === "transport.closed") return cause;
    return new LandfallError("transport.closed", `the channel to ${this.#who.provisioningHost} is over`, { cause });
  }
}
