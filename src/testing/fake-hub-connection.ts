import { untilAborted } from "../abort.ts";
import { type Deferred, deferred } from "../deferred.ts";
import { LandfallError } from "../errors.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import { methodAnswer, requireFits } from "../transport/message-limits.ts";
import type { CloudMessage, MethodResponse, TelemetryMessage, TwinDocument } from "../transport/messages.ts";
import type { CallOptions, HubConnection, HubHandlers, HubIdentity, Route } from "../transport/transport.ts";
import type { FakeTwin } from "./fake-twin.ts";
import { Sightings } from "./sightings.ts";

/** Something the device asked the fake hub to do. */
export type FakeHubOperation =
  | { readonly kind: "telemetry"; readonly message: TelemetryMessage }
  | { readonly kind: "getTwin" }
  | { readonly kind: "patchReported"; readonly patch: JsonObject };

/**
 * One rule of the fake hub, asked before it does what it usually does. An `Error` rejects the operation instead;
 * a promise holds it up; `undefined` passes it on.
 */
export type FakeHubBehaviour = (
  operation: FakeHubOperation,
  connection: FakeHubConnection,
) => Error | undefined | Promise<Error | undefined>;

/** What {@link FakeHubConnection} is made of. */
export interface FakeHubConnectionParts {
  readonly route: Route;
  readonly identity: HubIdentity;
  readonly handlers: HubHandlers;
  readonly twin: FakeTwin;
  readonly behaviours: readonly FakeHubBehaviour[];
  readonly sessionPresent: boolean;
  readonly autoAck: boolean;
  readonly credentialExpiresAtMs?: number | undefined;
}

/** One connection to a fake hub: the device's side as a {@link HubConnection}, and the service's side for the test. */
export class FakeHubConnection implements HubConnection {
  readonly route: Route;
  readonly identity: HubIdentity;
  /** The handlers that the device passed. */
  readonly handlers: HubHandlers;
  readonly sessionPresent: boolean;
  readonly credentialExpiresAtMs?: number;
  readonly ended: Promise<Error | undefined>;
  /** Whether telemetry is acknowledged at once. Otherwise {@link ack} does it. */
  autoAck: boolean;

  readonly #twin: FakeTwin;
  readonly #behaviours: readonly FakeHubBehaviour[];
  readonly #telemetry = new Sightings<TelemetryMessage>();
  readonly #reportedPatches = new Sightings<JsonObject>();
  readonly #unacknowledged: Deferred<void>[] = [];
  readonly #handling = new Set<Promise<unknown>>();
  readonly #ended = deferred<Error | undefined>();
  /** Rejects everything that waits once the connection is over. */
  readonly #over = deferred<never>();
  #state: "open" | "closing" | "ended" = "open";
  #twinReads = 0;
  #methods = 0;

  constructor(parts: FakeHubConnectionParts) {
    this.route = parts.route;
    this.identity = parts.identity;
    this.handlers = parts.handlers;
    this.sessionPresent = parts.sessionPresent;
    this.autoAck = parts.autoAck;
    if (parts.credentialExpiresAtMs !== undefined) this.credentialExpiresAtMs = parts.credentialExpiresAtMs;
    this.#twin = parts.twin;
    this.#behaviours = parts.behaviours;
    this.ended = this.#ended.promise;
    this.#over.promise.catch(() => {});
  }

  /* ------------------------------------------------ the service's side -------------------------------------------- */

  /** Whether the connection is still up. */
  get open(): boolean {
    return this.#state !== "ended";
  }

  /** Telemetry that arrived, acknowledged or not. */
  get telemetry(): readonly TelemetryMessage[] {
    return this.#telemetry.all;
  }

  /** Resolves with the `count`-th telemetry message (1 is the first) once it has arrived. */
  telemetryArrived(count: number): Promise<TelemetryMessage> {
    return this.#telemetry.nth(count);
  }

  /** How many telemetry messages wait for {@link ack}. */
  get unacknowledged(): number {
    return this.#unacknowledged.length;
  }

  /** Acknowledges the `count` oldest telemetry messages that wait. */
  ack(count = 1): void {
    for (const waiting of this.#unacknowledged.splice(0, count)) waiting.resolve();
  }

  /** How often the twin was asked for. */
  get twinReads(): number {
    return this.#twinReads;
  }

  /** Reported patches that were applied. */
  get reportedPatches(): readonly JsonObject[] {
    return this.#reportedPatches.all;
  }

  /** Resolves with the `count`-th reported patch (1 is the first) once it was applied. */
  reported(count: number): Promise<JsonObject> {
    return this.#reportedPatches.nth(count);
  }

  /** Delivers a cloud-to-device message. Resolves with whether the device acknowledged it. */
  async deliverMessage(message: Partial<CloudMessage> = {}): Promise<boolean> {
    const { onMessage } = this.handlers;
    if (!onMessage) throw new Error("this connection is not subscribed to messages");
    const handled = onMessage({ payload: new Uint8Array(), properties: {}, ...message });
    this.#track(handled);
    return handled.then(
      () => this.open,
      () => false,
    );
  }

  /** Calls a direct method. Resolves with the device's answer. */
  async invokeMethod(call: {
    readonly name: string;
    readonly payload?: JsonValue;
    readonly requestId?: string;
  }): Promise<MethodResponse> {
    const { onMethod } = this.handlers;
    if (!onMethod) throw new Error("this connection is not subscribed to methods");
    this.#methods += 1;
    const answered = onMethod({ requestId: `${this.#methods}`, payload: null, ...call });
    this.#track(answered);
    const { status, body } = methodAnswer(await answered);
    return body === "" ? { status } : { status, payload: JSON.parse(body) as JsonValue };
  }

  /** Changes the desired properties as the service does (a merge patch) and pushes the change. */
  pushDesired(patch: JsonObject): void {
    const version = this.#twin.changeDesired(patch);
    this.handlers.onDesired?.({ version, patch });
  }

  /** Replaces the twin, without a push. */
  setTwin(document: TwinDocument): void {
    this.#twin.document = document;
  }

  /** Ends the connection as the network or the service would. */
  drop(error: Error = new LandfallError("transport.closed", "the fake hub dropped the connection")): void {
    this.#end(error);
  }

  /* ------------------------------------------------ the device's side --------------------------------------------- */

  async sendTelemetry(message: TelemetryMessage, options: CallOptions = {}): Promise<void> {
    requireFits(message);
    await this.#perform({ kind: "telemetry", message }, options, async () => {
      const acknowledged = deferred<void>();
      if (this.autoAck) acknowledged.resolve();
      else this.#unacknowledged.push(acknowledged);
      this.#telemetry.add(message);
      await acknowledged.promise;
    });
  }

  async getTwin(options: CallOptions = {}): Promise<TwinDocument> {
    this.#twinReads += 1;
    return this.#perform({ kind: "getTwin" }, options, async () => this.#twin.document);
  }

  async patchReported(patch: JsonObject, options: CallOptions = {}): Promise<number> {
    return this.#perform({ kind: "patchReported", patch }, options, async () => {
      const version = this.#twin.changeReported(patch);
      this.#reportedPatches.add(patch);
      return version;
    });
  }

  async close(): Promise<void> {
    if (this.#state === "open") {
      this.#state = "closing";
      while (this.#handling.size > 0 && this.open) {
        await Promise.race([Promise.allSettled(this.#handling), this.ended]);
      }
      this.#end(undefined);
    }
    await this.ended;
  }

  destroy(reason: Error = new LandfallError("transport.closed", "the connection was destroyed")): void {
    this.#end(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #perform<T>(operation: FakeHubOperation, { signal }: CallOptions, usual: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    if (this.#state !== "open") throw new LandfallError("transport.closed", "the connection to the fake hub is closed");
    const outcome = (async () => {
      for (const behaviour of this.#behaviours) {
        const decision = behaviour(operation, this);
        // Only a promise may hold an operation up: without one, everything is seen in the turn of the call.
        const error = decision instanceof Promise ? await decision : decision;
        if (error) throw error;
      }
      return usual();
    })();
    return untilAborted(Promise.race([outcome, this.#over.promise]), signal);
  }

  #track(handling: Promise<unknown>): void {
    this.#handling.add(handling);
    const forget = (): void => void this.#handling.delete(handling);
    handling.then(forget, forget);
  }

  #end(reason: Error | undefined): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#unacknowledged.length = 0;
    this.#over.reject(new LandfallError("transport.closed", "the connection to the fake hub ended", { cause: reason }));
    this.#ended.resolve(reason);
  }
}
