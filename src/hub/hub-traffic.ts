import type { Clock } from "../clock.ts";
import { withDeadline } from "../deadline.ts";
import { LandfallError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { HubConnection, HubHandlers, HubIdentity, HubTransport, Route } from "../transport/transport.ts";
import { CloudMessages } from "./cloud-messages.ts";
import type { ConnectionUser } from "./connection-keeper.ts";
import type { ConnectCause } from "./connection-machine.ts";
import type { Connected, ConnectionNews } from "./connection-news.ts";
import { DesiredProperties } from "./desired-properties.ts";
import { DirectMethods } from "./direct-methods.ts";
import { LiveConnection } from "./live-connection.ts";
import type { HubSessionOptions } from "./options.ts";
import { TelemetryQueue } from "./telemetry-queue.ts";
import { TwinRequests } from "./twin-requests.ts";

/** Finds the way to the hub; asked anew for every attempt to connect. */
export type RouteFinder = (options: { readonly signal: AbortSignal }) => Promise<Route>;

/** Where a session goes, and as whom. */
export interface Destination {
  readonly route: RouteFinder;
  readonly identity: HubIdentity;
}

/** Parts of a {@link HubTraffic}. */
export interface HubTrafficParts {
  readonly transport: HubTransport;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly options: HubSessionOptions;
  readonly announce: (news: ConnectionNews) => void;
  /** Somebody listens for something that the present connection is not subscribed to. */
  readonly onSubscriptionMissing: () => void;
}

/** What the latest connection was asked for. */
interface Attempt {
  readonly host: string;
  readonly messages: boolean;
  readonly desired: boolean;
}

/** Everything that goes over a session's connections, led from each connection to the next. */
export class HubTraffic implements ConnectionUser {
  readonly live = new LiveConnection();
  readonly telemetry: TelemetryQueue;
  readonly twin: TwinRequests;
  readonly desired: DesiredProperties;
  readonly methods: DirectMethods;
  readonly messages: CloudMessages;
  /** Where the next attempt goes; known before the first one begins. */
  destination: Destination | undefined;
  readonly #parts: HubTrafficParts;
  #attempt: Attempt | undefined;
  #connection: HubConnection | undefined;

  constructor(parts: HubTrafficParts) {
    const { clock, random, log, options } = parts;
    const onWanted = (): void => this.#checkSubscriptions();
    this.#parts = parts;
    this.telemetry = new TelemetryQueue({ window: options.telemetryWindow });
    this.twin = new TwinRequests({ live: this.live, clock, random });
    this.desired = new DesiredProperties({ clock, random, log, onWanted });
    this.methods = new DirectMethods({ clock, log });
    this.messages = new CloudMessages({ onWanted });
  }

  async connect({ signal }: { readonly signal: AbortSignal }): Promise<HubConnection> {
    // An attempt that failed late may have delivered something.
    this.release();
    if (!this.destination) throw new LandfallError("hub.not-connected", "the session has not been told its hub");
    const { route: findRoute, identity } = this.destination;
    const route = await findRoute({ signal });
    signal.throwIfAborted();
    // Only now, so that whoever starts to listen right after the start of the session is served by the first connection.
    const attempt = { host: route.host, messages: this.messages.wanted, desired: this.desired.wanted };
    this.#attempt = attempt;
    return this.#parts.transport.connect(route, identity, this.#handlers(attempt), { signal });
  }

  serve(connection: HubConnection, cause: ConnectCause): void {
    this.#connection = connection;
    this.live.offer(connection);
    this.telemetry.attach(connection);
    if (this.#attempt?.desired) this.desired.attach(connection);
    const { sessionPresent, credentialExpiresAtMs } = connection;
    const about: Connected = {
      cause,
      host: this.#attempt?.host ?? "",
      sessionPresent,
      ...(credentialExpiresAtMs === undefined ? {} : { credentialExpiresAtMs }),
    };
    this.announce({ name: "connected", about });
    if (cause === "renewal") this.announce({ name: "renewed", about });
    this.#checkSubscriptions();
  }

  /**
   * First the handlers of methods and messages finish, while telemetry still flows: they may be waiting for it. Half the
   * time is theirs. Then what is on the wire is waited for; to stop for good, also what has not gone out yet.
   */
  async settle(purpose: "replace" | "stop", { signal }: { readonly signal: AbortSignal }): Promise<void> {
    if (!this.#connection) return;
    const { closeTimeoutMs, renewalTimeoutMs } = this.#parts.options;
    if (purpose === "stop") this.#resume(this.#connection);
    this.messages.hold();
    await this.#settleHandlers((purpose === "stop" ? closeTimeoutMs : renewalTimeoutMs) / 2, signal);
    if (purpose === "stop") {
      await Promise.all([this.telemetry.drain({ signal }), this.twin.settled({ signal }), this.live.quiet({ signal })]);
    } else {
      this.telemetry.pause();
      this.live.withdraw();
      await Promise.all([this.telemetry.quiet({ signal }), this.live.quiet({ signal })]);
    }
  }

  release(): void {
    this.#connection = undefined;
    this.#attempt = undefined;
    this.live.withdraw();
    this.telemetry.detach();
    this.desired.detach();
    this.messages.reset();
  }

  isAtFault(): boolean {
    return this.telemetry.stalled;
  }

  announce(news: ConnectionNews): void {
    this.#parts.announce(news);
  }

  /** Rejects everything that waits, now or later, with `reason`. Idempotent. */
  end(reason: Error): void {
    this.telemetry.close(reason);
    this.live.close(reason);
    this.methods.close(reason);
    this.messages.close();
    this.desired.close();
  }

  /** A connection that was given up may still be delivering; only the latest attempt is listened to. */
  #handlers(attempt: Attempt): HubHandlers {
    const isLatest = (): boolean => this.#attempt === attempt;
    const onMessage: HubHandlers["onMessage"] = async (message) => {
      if (!isLatest()) throw new LandfallError("hub.message-not-completed", "it came over an abandoned connection");
      await this.messages.deliver(message);
    };
    const onDesired: HubHandlers["onDesired"] = (patch) => {
      if (isLatest()) this.desired.push(patch);
    };
    return {
      // Always subscribed: a caller of a method that nobody handles gets an answer instead of a timeout.
      onMethod: (request) => this.methods.call(request),
      ...(attempt.messages ? { onMessage } : {}),
      ...(attempt.desired ? { onDesired } : {}),
    };
  }

  /** Subscriptions are made at connect, so a missing one takes another connection. */
  #checkSubscriptions(): void {
    if (!this.#connection) return;
    const { messages = false, desired = false } = this.#attempt ?? {};
    const missesMessages = this.messages.wanted && (!messages || this.messages.sentBack);
    if (missesMessages || (this.desired.wanted && !desired)) this.#parts.onSubscriptionMissing();
  }

  async #settleHandlers(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const idle = (limit: AbortSignal): Promise<unknown> =>
      Promise.all([this.messages.idle({ signal: limit }), this.methods.idle({ signal: limit })]);
    const expired = (): Error => new LandfallError("transport.timeout", "a handler is still at work");
    try {
      await withDeadline(idle, { clock: this.#parts.clock, ms: timeoutMs, expired, signal });
    } catch {
      signal.throwIfAborted();
    }
  }

  /** Undoes the beginning of a planned reconnect, for a stop that comes in between. */
  #resume(connection: HubConnection): void {
    this.live.offer(connection);
    this.telemetry.resume();
  }
}
