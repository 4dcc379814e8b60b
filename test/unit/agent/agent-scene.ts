import type { EventEmitter } from "node:events";
import { join } from "node:path";
import { Agent, type AgentOptions } from "../../../src/agent/agent.ts";
import type { AgentEvents } from "../../../src/agent/events.ts";
import type { Configuration } from "../../../src/config/settings-schema.ts";
import { type ErrorCode, LandfallError, type LandfallErrorOptions } from "../../../src/errors.ts";
import type { JsonObject } from "../../../src/json.ts";
import { createLogger, type LogRecord } from "../../../src/log.ts";
import { AssignmentStore } from "../../../src/provisioning/assignment-store.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { type FakeDpsAnswer, FakeDpsTransport } from "../../../src/testing/fake-dps-transport.ts";
import { FakeHubTransport } from "../../../src/testing/fake-hub-transport.ts";
import { Sightings } from "../../../src/testing/sightings.ts";

export const hubA = "hub-a.azure-devices.net";
export const hubB = "hub-b.azure-devices.net";
export const deviceKey = Buffer.alloc(32, 7).toString("base64");

/** The answer of DPS that assigns the device to `hub`. */
export function assignedTo(hub: string, state: JsonObject = {}): FakeDpsAnswer {
  const registrationState = { assignedHub: hub, deviceId: "device-1", substatus: "initialAssignment", ...state };
  return { status: 200, body: { operationId: "op-1", status: "assigned", registrationState } };
}

/** A refusal by DPS, as the service words it. */
export function refusedWith(status: number, errorCode: number, more: Partial<FakeDpsAnswer> = {}): FakeDpsAnswer {
  return { status, body: { errorCode, trackingId: "track-1", message: "Said by DPS" }, ...more };
}

export const fault = (code: ErrorCode, options: LandfallErrorOptions = {}): LandfallError =>
  new LandfallError(code, `a ${code} made by the test`, options);

/** One event of an agent: its name first. */
export type Happening = {
  [Name in keyof AgentEvents]: readonly [Name, AgentEvents[Name][0]];
}[keyof AgentEvents];

const names = [
  "endpoint",
  "provisioning",
  "assigned",
  "provisioning-failed",
  "connected",
  "disconnected",
  "waiting",
  "renewed",
  "displaced",
  "closed",
] as const satisfies readonly (keyof AgentEvents)[];

/** What differs from the usual device. */
export interface SceneOptions extends Omit<AgentOptions, "clock" | "log"> {
  readonly provisioning?: JsonObject;
  readonly configuration?: Omit<Configuration, "provisioning" | "state">;
  readonly clock?: FakeClock;
}

let scenes = 0;

/** An agent between a fake DPS and a fake hub, on a clock that stands still, with a state directory of its own. */
export class AgentScene implements AsyncDisposable {
  readonly clock: FakeClock;
  readonly dps = new FakeDpsTransport();
  readonly hub = new FakeHubTransport();
  readonly records: LogRecord[] = [];
  readonly directory: string;
  readonly #events = new Sightings<Happening>();
  #agent: Agent | undefined;

  /** @param folder under which the state directory is made, when something is stored */
  constructor(folder: string, clock = new FakeClock()) {
    scenes += 1;
    this.directory = join(folder, `state-${scenes}`);
    this.clock = clock;
  }

  /** Makes the agent. Programs nothing: DPS and hub are the test's. */
  async create({ provisioning = {}, configuration = {}, clock: _, ...options }: SceneOptions = {}): Promise<Agent> {
    const agent = await Agent.create(
      {
        provisioning: {
          source: "dps",
          id_scope: "0ne00000001",
          attestation: { method: "symmetric_key", registration_id: "device-1", symmetric_key: deviceKey },
          ...provisioning,
        },
        state: { directory: this.directory },
        ...configuration,
      } as Configuration,
      {
        clock: this.clock,
        random: () => 0.5,
        log: createLogger("trace", (record) => this.records.push(record)),
        dpsTransport: this.dps,
        hubTransport: this.hub,
        ...options,
      },
    );
    for (const name of names) {
      (agent as EventEmitter).on(name, (about: unknown) => this.#events.add([name, about] as unknown as Happening));
    }
    this.#agent = agent;
    return agent;
  }

  /** What the agent would have stored in an earlier life. */
  async store(hub: string): Promise<this> {
    const binding = {
      idScope: "0ne00000001",
      registrationId: "device-1",
      endpoint: "global.azure-devices-provisioning.net",
    };
    await new AssignmentStore({ directory: this.directory }).write(binding, { assignedHub: hub, deviceId: "device-1" });
    return this;
  }

  /** The hub of the stored assignment. */
  async stored(): Promise<string | undefined> {
    const store = new AssignmentStore({ directory: this.directory });
    const assignment = await store.read({
      idScope: "0ne00000001",
      registrationId: "device-1",
      endpoint: "global.azure-devices-provisioning.net",
    });
    return assignment?.assignedHub;
  }

  /** Everything that happened, in order. */
  get happened(): readonly Happening[] {
    return this.#events.all;
  }

  /** The names of what happened, in order. */
  get eventNames(): string[] {
    return this.happened.map(([name]) => name);
  }

  /** What the events of one name told, oldest first. */
  told<Name extends keyof AgentEvents>(name: Name): AgentEvents[Name][0][] {
    return this.happened.filter((each) => each[0] === name).map((each) => each[1] as AgentEvents[Name][0]);
  }

  /** Resolves with what the `count`-th event of a name told (1 is the first), once it has happened. */
  async event<Name extends keyof AgentEvents>(name: Name, count = 1): Promise<AgentEvents[Name][0]> {
    for (let seen = this.happened.length; ; seen++) {
      const found = this.told(name)[count - 1];
      if (found !== undefined) return found;
      await this.#events.nth(seen + 1);
    }
  }

  /** Lets everything that is ready run; no time passes. */
  async turn(): Promise<void> {
    await this.clock.advance(0);
  }

  /** Messages of a level in the log. */
  logged(level: LogRecord["level"]): string[] {
    return this.records.filter((record) => record.level === level).map(({ message }) => message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent?.close();
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
