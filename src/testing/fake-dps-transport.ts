import { untilAborted } from "../abort.ts";
import { deferred } from "../deferred.ts";
import { LandfallError } from "../errors.ts";
import type { JsonValue } from "../json.ts";
import type {
  CallOptions,
  DpsChannel,
  DpsIdentity,
  DpsRequest,
  DpsResponse,
  DpsTransport,
  Route,
  TransportAbilities,
} from "../transport/transport.ts";
import { Sightings } from "./sightings.ts";

/** An answer as a test writes it: a body that is not text is sent as JSON; an absent one is empty. */
export interface FakeDpsAnswer {
  readonly status: number;
  readonly retryAfterMs?: number;
  readonly body?: JsonValue;
}

/** What a behaviour is told beside the request. */
export interface FakeDpsCall {
  /** 0 for the first request that this transport has seen, over all its connections. */
  readonly index: number;
  readonly route: Route;
  readonly identity: DpsIdentity;
}

/**
 * One rule of the fake service. An answer or an error settles the request (an error also ends the channel, as a real
 * one would); `undefined` passes it on to the next rule.
 */
export type FakeDpsBehaviour = (
  request: DpsRequest,
  call: FakeDpsCall,
) => FakeDpsAnswer | Error | undefined | Promise<FakeDpsAnswer | Error | undefined>;

/** One call of {@link FakeDpsTransport.connect}. */
export interface FakeDpsConnect {
  readonly route: Route;
  readonly identity: DpsIdentity;
}

/**
 * A DPS that a test programs: queued answers first, then rules in the order they were added. It keeps a record of what
 * it saw, has no timers, and holds the same contract as the real transports.
 */
export class FakeDpsTransport implements DpsTransport {
  readonly name: string;
  readonly abilities: TransportAbilities;
  readonly #answers: FakeDpsAnswer[] = [];
  readonly #behaviours: FakeDpsBehaviour[] = [];
  readonly #requests = new Sightings<DpsRequest>();
  readonly #connects = new Sightings<FakeDpsConnect>();
  readonly #refusals: Error[] = [];
  readonly #open = new Set<FakeDpsChannel>();
  #drops = 0;

  /** Without options it is named `fake` and carries everything, challenges included. */
  constructor(options: { readonly name?: string; readonly abilities?: TransportAbilities } = {}) {
    this.name = options.name ?? "fake";
    this.abilities = options.abilities ?? { credentials: ["certificate", "sas"], challenge: true };
  }

  /** Every request so far, over all connections. */
  get requests(): readonly DpsRequest[] {
    return this.#requests.all;
  }

  /** Every attempt to connect so far, refused ones included. */
  get connects(): readonly FakeDpsConnect[] {
    return this.#connects.all;
  }

  /** How many channels are open now; 0 when everything was closed as it should be. */
  get openChannels(): number {
    return this.#open.size;
  }

  /** Queues an answer for one request. */
  respond(answer: FakeDpsAnswer): this {
    this.#answers.push(answer);
    return this;
  }

  /** Adds a rule; it is asked for every request that no queued answer and no earlier rule settled. */
  behave(behaviour: FakeDpsBehaviour): this {
    this.#behaviours.push(behaviour);
    return this;
  }

  /** Makes the next connect reject with `error`. May be called several times. */
  refuseNext(error: Error): this {
    this.#refusals.push(error);
    return this;
  }

  /** Drops the connection when the next request arrives: it rejects with `transport.closed`. */
  dropNext(): this {
    this.#drops += 1;
    return this;
  }

  /** Resolves with the `count`-th request (1 is the first) once it was made. */
  requested(count: number): Promise<DpsRequest> {
    return this.#requests.nth(count);
  }

  async connect(route: Route, identity: DpsIdentity, { signal }: CallOptions = {}): Promise<DpsChannel> {
    signal?.throwIfAborted();
    this.#connects.add({ route, identity });
    const refusal = this.#refusals.shift();
    if (refusal) throw refusal;
    const channel = new FakeDpsChannel(
      (request) => this.#answer(request, { route, identity }),
      () => this.#open.delete(channel),
    );
    this.#open.add(channel);
    return channel;
  }

  async #answer(request: DpsRequest, connect: FakeDpsConnect): Promise<DpsResponse> {
    const call: FakeDpsCall = { index: this.requests.length, ...connect };
    this.#requests.add(request);
    if (this.#drops > 0) {
      this.#drops -= 1;
      throw new LandfallError("transport.closed", "the fake DPS dropped the connection");
    }
    const queued = this.#answers.shift();
    if (queued) return responseOf(queued);
    for (const behaviour of this.#behaviours) {
      const outcome = await behaviour(request, call);
      if (outcome instanceof Error) throw outcome;
      if (outcome) return responseOf(outcome);
    }
    throw new Error(`no answer was programmed for request ${call.index} (${request.kind})`);
  }
}

class FakeDpsChannel implements DpsChannel {
  readonly #answer: (request: DpsRequest) => Promise<DpsResponse>;
  readonly #onClosed: () => void;
  readonly #ended = deferred<never>();
  #open = true;

  constructor(answer: (request: DpsRequest) => Promise<DpsResponse>, onClosed: () => void) {
    this.#answer = answer;
    this.#onClosed = onClosed;
    this.#ended.promise.catch(() => {});
  }

  async request(request: DpsRequest, { signal }: CallOptions = {}): Promise<DpsResponse> {
    signal?.throwIfAborted();
    if (!this.#open) throw new LandfallError("transport.closed", "the connection to the fake DPS is closed");
    const answer = this.#answer(request).catch((error: unknown) => {
      this.#end(error);
      throw error;
    });
    return untilAborted(Promise.race([answer, this.#ended.promise]), signal);
  }

  async close(): Promise<void> {
    this.#end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #end(reason: unknown = new LandfallError("transport.closed", "the connection to the fake DPS was closed")): void {
    if (!this.#open) return;
    this.#open = false;
    this.#ended.reject(reason);
    this.#onClosed();
  }
}

function responseOf({ status, retryAfterMs, body }: FakeDpsAnswer): DpsResponse {
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  return { status, body: text, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}
