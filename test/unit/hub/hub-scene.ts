import type { ConnectionEvents } from "../../../src/hub/connection-news.ts";
import { HubSession } from "../../../src/hub/hub-session.ts";
import type { Destination } from "../../../src/hub/hub-traffic.ts";
import type { HubSessionOptions } from "../../../src/hub/options.ts";
import { createLogger, type LogRecord } from "../../../src/log.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { FakeHubTransport } from "../../../src/testing/fake-hub-transport.ts";
import type { TelemetryMessage } from "../../../src/transport/messages.ts";
import type { HubIdentity, Route } from "../../../src/transport/transport.ts";

export const minute = 60_000;
export const hour = 60 * minute;

export const identity = (deviceId = "device-1"): HubIdentity => ({
  deviceId,
  credential: { kind: "sas", token: () => Promise.reject(new Error("the fake hub asks for no token")) },
});

export const telemetry = (messageId: string): TelemetryMessage => ({ payload: new Uint8Array(), messageId });
export const idsOf = (messages: readonly TelemetryMessage[]): (string | undefined)[] =>
  messages.map(({ messageId }) => messageId);

const eventNames = [
  "connecting",
  "connected",
  "renewed",
  "disconnected",
  "waiting",
  "displaced",
  "needs-provisioning",
] as const satisfies readonly (keyof ConnectionEvents)[];

/** A session before a fake hub, on a clock that stands still. */
export class HubScene {
  readonly clock = new FakeClock();
  readonly transport = new FakeHubTransport();
  readonly records: LogRecord[] = [];
  /** Names of the events so far. */
  readonly events: string[] = [];
  readonly routes: Route[] = [];
  readonly session: HubSession;
  readonly destination: Destination = {
    route: async () => {
      const route = { host: "hub-1.example" };
      this.routes.push(route);
      return route;
    },
    identity: identity(),
  };

  constructor(options: Partial<HubSessionOptions> = {}) {
    this.session = HubSession.create({
      transport: this.transport,
      clock: this.clock,
      random: () => 0.5,
      log: createLogger("trace", (record) => this.records.push(record)),
      options,
    });
    for (const name of eventNames) this.session.on(name, () => this.events.push(name));
  }

  /** Starts the session, with another destination where the test has one. */
  start(destination: Partial<Destination> = {}): void {
    this.session.start({ ...this.destination, ...destination });
  }

  /** Starts the session and waits for its first connection. */
  async connect(): Promise<this> {
    this.start();
    await this.session.whenConnected();
    return this;
  }

  /** Lets everything that is ready run; no time passes. */
  async turn(): Promise<void> {
    await this.clock.advance(0);
  }
}

/** How a promise went, readable at any time. */
export function watch(promise: Promise<unknown>): { outcome: unknown } {
  const watched: { outcome: unknown } = { outcome: "pending" };
  promise.then(
    (value) => {
      watched.outcome = value ?? "done";
    },
    (error) => {
      watched.outcome = error;
    },
  );
  return watched;
}
