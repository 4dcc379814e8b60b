import { EventEmitter } from "node:events";
import { Sightings } from "../../src/testing/sightings.ts";
import type {
  SdkCallback,
  SdkCertificate,
  SdkDpsTransport,
  SdkDpsTransportClass,
  SdkHubTransport,
  SdkHubTransportClass,
  SdkRegistrationCallback,
  SdkRegistrationRequest,
} from "../../src/transport/azure-sdk/index.ts";

/** A DPS transport in the shape of the Azure SDK's that does as a test says. */
export class FakeSdkDps extends EventEmitter implements SdkDpsTransport {
  certificate: SdkCertificate | undefined;
  token: string | undefined;
  readonly requests: { readonly request: SdkRegistrationRequest; readonly operationId?: string }[] = [];
  /** Answers the next request. */
  answer: SdkRegistrationCallback = () => {};
  canceled = 0;
  disconnects = 0;
  /** Whether {@link disconnect} calls back. */
  hangsUp = true;
  /** Thrown at the next request. */
  throws: Error | undefined;

  setAuthentication(certificate: SdkCertificate): void {
    this.certificate = certificate;
  }

  setSharedAccessSignature(token: string): void {
    this.token = token;
  }

  setTransportOptions(): void {}

  registrationRequest(request: SdkRegistrationRequest, callback: SdkRegistrationCallback): void {
    if (this.throws) throw this.throws;
    this.requests.push({ request });
    this.answer = callback;
  }

  queryOperationStatus(request: SdkRegistrationRequest, operationId: string, callback: SdkRegistrationCallback): void {
    this.requests.push({ request, operationId });
    this.answer = callback;
  }

  cancel(callback: SdkCallback): void {
    this.canceled += 1;
    callback();
  }

  disconnect(callback: SdkCallback): void {
    this.disconnects += 1;
    if (this.hangsUp) callback();
  }
}

/** What a {@link FakeSdkHub} was asked. */
export interface SdkCall {
  readonly name: string;
  readonly about: unknown;
  readonly done: SdkCallback;
}

/** The same for a hub. Every call waits until the test calls it back. */
export class FakeSdkHub extends EventEmitter implements SdkHubTransport {
  /** What the class was made with. */
  provider: unknown;
  readonly #calls = new Sightings<SdkCall>();
  /** Calls of these names are called back at once. */
  readonly easy = new Set(["connect", "disconnect", "enableC2D", "enableMethods", "enableDesired", "complete"]);
  options: unknown;

  setOptions(options: unknown): void {
    this.options = options;
  }

  connect = (done: SdkCallback): void => this.#take("connect", undefined, done);
  disconnect = (done: SdkCallback): void => this.#take("disconnect", undefined, done);
  sendEvent = (message: unknown, done: SdkCallback): void => this.#take("sendEvent", message, done);
  complete = (message: unknown, done: SdkCallback): void => this.#take("complete", message, done);
  abandon = (message: unknown, done: SdkCallback): void => this.#take("abandon", message, done);
  enableC2D = (done: SdkCallback): void => this.#take("enableC2D", undefined, done);
  enableMethods = (done: SdkCallback): void => this.#take("enableMethods", undefined, done);
  sendMethodResponse = (response: unknown, done: SdkCallback): void => this.#take("response", response, done);
  getTwin = (done: SdkCallback): void => this.#take("getTwin", undefined, done);
  updateTwinReportedProperties = (patch: unknown, done: SdkCallback): void => this.#take("report", patch, done);
  enableTwinDesiredPropertiesUpdates = (done: SdkCallback): void => this.#take("enableDesired", undefined, done);

  /** The names of all calls so far, in order. */
  get names(): readonly string[] {
    return this.#calls.all.map(({ name }) => name);
  }

  /** The newest call of a name, as soon as there is one. */
  async called(name: string): Promise<SdkCall> {
    for (let seen = 0; ; seen = this.#calls.all.length) {
      const found = this.#calls.all.findLast((call) => call.name === name);
      if (found !== undefined) return found;
      await this.#calls.nth(seen + 1);
    }
  }

  #take(name: string, about: unknown, done: SdkCallback): void {
    this.#calls.add({ name, about, done });
    if (this.easy.has(name)) done(null, undefined);
  }
}

/** A class whose only instance is `fake`. */
export function dpsClassOf(fake: FakeSdkDps): SdkDpsTransportClass {
  return new Proxy(FakeSdkDps, { construct: () => fake });
}

/** The same for a hub. */
export function hubClassOf(fake: FakeSdkHub): SdkHubTransportClass {
  const construct = (_: unknown, [provider]: unknown[]): FakeSdkHub => Object.assign(fake, { provider });
  return new Proxy<SdkHubTransportClass>(FakeSdkHub, { construct });
}
