import { untilAborted } from "../../abort.ts";
import type { Clock } from "../../clock.ts";
import { withDeadline } from "../../deadline.ts";
import { type Deferred, deferred } from "../../deferred.ts";
import { LandfallError } from "../../errors.ts";
import { isJsonObject, type JsonObject } from "../../json.ts";
import type { Logger } from "../../log.ts";
import { type MethodAnswer, requireFits } from "../message-limits.ts";
import type { TelemetryMessage, TwinDocument } from "../messages.ts";
import { MethodCalls } from "../method-calls.ts";
import type { CallOptions, HubConnection, HubHandlers } from "../transport.ts";
import { connectionError } from "./sdk-errors.ts";
import { hangUp } from "./sdk-hang-up.ts";
import { SdkInbox } from "./sdk-inbox.ts";
import { sdkMessageOf } from "./sdk-messages.ts";
import type { SdkCallback, SdkHubTransport } from "./sdk-shapes.ts";

/** What an {@link SdkHubConnection} needs beside the library's transport. */
export interface SdkHubConnectionOptions {
  /** For messages. */
  readonly host: string;
  readonly credentialExpiresAtMs: number | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly requestTimeoutMs: number;
}

/** One connection of the library's transport, from connect to its end: the library would connect again, we never ask it to. */
export class SdkHubConnection implements HubConnection {
  readonly credentialExpiresAtMs?: number;
  readonly ended: Promise<Error | undefined>;
  readonly #transport: SdkHubTransport;
  readonly #handlers: HubHandlers;
  readonly #options: SdkHubConnectionOptions;
  readonly #inbox: SdkInbox;
  readonly #ended = deferred<Error | undefined>();
  readonly #waiting = new Set<Deferred<never>>();
  #sessionPresent = false;
  #closing: Promise<void> | undefined;
  #over: LandfallError | undefined;

  constructor(transport: SdkHubTransport, handlers: HubHandlers, options: SdkHubConnectionOptions) {
    this.#transport = transport;
    this.#handlers = handlers;
    this.#options = options;
    this.ended = this.#ended.promise;
    if (options.credentialExpiresAtMs !== undefined) this.credentialExpiresAtMs = options.credentialExpiresAtMs;
    const calls = new MethodCalls(handlers.onMethod, options.log);
    this.#inbox = new SdkInbox(transport, handlers, calls, options.log, (requestId, answer) =>
      this.#sendMethodAnswer(requestId, answer),
    );
    transport.on("disconnect", (error) => this.#lost(error));
    transport.on("error", (error) => this.#lost(error));
  }

  get sessionPresent(): boolean {
    return this.#sessionPresent;
  }

  /** Connects and subscribes. Rejects with `transport.*` or `endpoint.*`. */
  async open(sdkOptions: { readonly modelId?: string }, options: CallOptions): Promise<void> {
    const { onMessage, onMethod, onDesired } = this.#handlers;
    await this.#withinTime("a connect", options, async (signal) => {
      if (sdkOptions.modelId !== undefined) this.#transport.setOptions(sdkOptions);
      const connected = await this.#ask((done) => this.#transport.connect(done), signal);
      this.#sessionPresent = isSessionPresent(connected);
      if (onMessage) await this.#ask((done) => this.#transport.enableC2D(done), signal);
      if (onMethod) await this.#ask((done) => this.#transport.enableMethods(done), signal);
      if (onDesired) await this.#ask((done) => this.#transport.enableTwinDesiredPropertiesUpdates(done), signal);
    });
  }

  async sendTelemetry(message: TelemetryMessage, { signal }: CallOptions = {}): Promise<void> {
    requireFits(message);
    await this.#ask(
      (done) => this.#transport.sendEvent(sdkMessageOf(message), done),
      signal,
      (error) => {
        // The library gives up a message when the connection is lost, or when nothing has been heard for a while.
        this.#lost(error);
        this.#transport.disconnect(() => {});
        return this.#over;
      },
    );
  }

  async getTwin(options: CallOptions = {}): Promise<TwinDocument> {
    const twin = await this.#askForTwin("a twin request", options, (done) => this.#transport.getTwin(done));
    if (isJsonObject(twin) && isJsonObject(twin.desired) && isJsonObject(twin.reported)) {
      return { desired: twin.desired, reported: twin.reported };
    }
    throw new LandfallError("transport.protocol", "expected a twin with desired and reported properties, got none");
  }

  /** Asks for the twin afterwards: the library does not tell the version that the hub answers with. */
  async patchReported(patch: JsonObject, options: CallOptions = {}): Promise<number> {
    await this.#askForTwin("a change of reported properties", options, (done) =>
      this.#transport.updateTwinReportedProperties(patch, done),
    );
    const { $version } = (await this.getTwin(options)).reported;
    if (typeof $version === "number") return $version;
    throw new LandfallError("transport.protocol", "expected the version of the reported properties, got none");
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  destroy(reason: Error = new LandfallError("transport.closed", "the connection was dropped on this side")): void {
    if (this.#over) return;
    this.#end(reason);
    this.#transport.disconnect(() => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await Promise.race([this.#inbox.drain(), this.ended]);
    if (!this.#over) {
      this.#end(undefined);
      await hangUp((done) => this.#transport.disconnect(done), this.#options.clock);
    }
    await this.ended;
  }

  async #sendMethodAnswer(requestId: string, { status, body }: MethodAnswer): Promise<void> {
    const payload: unknown = body === "" ? undefined : JSON.parse(body);
    await this.#ask((done) => this.#transport.sendMethodResponse({ requestId, status, payload }, done), undefined);
  }

  #askForTwin(what: string, options: CallOptions, start: (done: SdkCallback) => void): Promise<unknown> {
    return this.#withinTime(what, options, (signal) => this.#ask(start, signal, twinError));
  }

  #withinTime<T>(what: string, { signal }: CallOptions, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, host, requestTimeoutMs: ms } = this.#options;
    const expired = (): Error =>
      new LandfallError("transport.timeout", `${host} did not answer ${what} within ${ms} ms`);
    return withDeadline(work, { clock, ms, expired, signal });
  }

  /** Waits for a callback of the library, as long as the connection lives and `signal` allows. */
  async #ask(
    start: (done: SdkCallback) => void,
    signal: AbortSignal | undefined,
    errorFor: (error: Error) => LandfallError | undefined = () => undefined,
  ): Promise<unknown> {
    signal?.throwIfAborted();
    if (this.#over) throw this.#over;
    const waiter = deferred<unknown>();
    this.#waiting.add(waiter as Deferred<never>);
    const fail = (error: Error): void => waiter.reject(errorFor(error) ?? connectionError(this.#options.host, error));
    try {
      try {
        start((error, result) => (error ? fail(error) : waiter.resolve(result)));
      } catch (error) {
        fail(error as Error);
      }
      return await untilAborted(waiter.promise, signal);
    } finally {
      this.#waiting.delete(waiter as Deferred<never>);
    }
  }

  /** An orderly close of the peer has a wording of its own; whatever else the library tells is a failure of the network. */
  #lost(error: unknown): void {
    const { host } = this.#options;
    const text = error instanceof Error ? error.message : "";
    const orderly = text === "" || text === "Connection to the server has been closed.";
    this.#end(
      orderly
        ? new LandfallError("transport.closed", `the connection to ${host} was closed by the other side`)
        : new LandfallError("transport.closed", `the connection to ${host} broke: ${text}`, { cause: error }),
    );
  }

  #end(reason: Error | undefined): void {
    if (this.#over) return;
    const message = `the connection to ${this.#options.host} is over`;
    this.#over = new LandfallError("transport.closed", message, { cause: reason });
    for (const waiter of this.#waiting) waiter.reject(this.#over);
    this.#ended.resolve(reason);
  }
}

/** The library tells a refusal of the hub as a plain error with the hub's message, and its own failures as others. */
function twinError(error: Error): LandfallError | undefined {
  if (error.name !== "Error" || "transportError" in error) return undefined;
  const service = { message: error.message };
  const message = `the hub refused a twin operation: ${error.message}`;
  return new LandfallError("hub.twin-rejected", message, { service, cause: error });
}

/** CONNACK is wrapped once by each layer of the library. */
function isSessionPresent(connected: unknown): boolean {
  for (let layer = connected; typeof layer === "object" && layer !== null; ) {
    const { sessionPresent, transportObj } = layer as { sessionPresent?: unknown; transportObj?: unknown };
    if (sessionPresent !== undefined) return sessionPresent === true;
    layer = transportObj;
  }
  return false;
}
