import { join } from "node:path";
import { Agent, type AgentOptions } from "../../../src/agent/agent.ts";
import type { FoundWay, RouteFinder } from "../../../src/agent/route-finder.ts";
import type { Settings } from "../../../src/config/settings.ts";
import { settingsFrom } from "../../../src/config/settings-from.ts";
import type { Configuration } from "../../../src/config/settings-schema.ts";
import { type ErrorCode, LandfallError, type LandfallErrorOptions } from "../../../src/errors.ts";
import type { JsonObject } from "../../../src/json.ts";
import { createLogger, type Logger, type LogRecord } from "../../../src/log.ts";
import { AssignmentStore } from "../../../src/provisioning/assignment-store.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { type FakeDpsAnswer, FakeDpsTransport } from "../../../src/testing/fake-dps-transport.ts";
import { FakeHubTransport } from "../../../src/testing/fake-hub-transport.ts";
import { AgentRecord } from "../../support/agent-record.ts";

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

/** What differs from the usual device. */
export interface SceneOptions extends Omit<AgentOptions, "clock" | "log"> {
  readonly provisioning?: JsonObject;
  readonly configuration?: Omit<Configuration, "provisioning" | "state">;
  readonly clock?: FakeClock;
}

/** Ways without evidence: these tests are about what happens on them. */
const givenWays: RouteFinder = {
  toDps: async () => givenWay("global.azure-devices-provisioning.net"),
  toHub: async (host) => givenWay(host),
};

function givenWay(host: string): FoundWay {
  return { route: { host }, path: "unknown", reason: "given", text: "given by the test", warnings: [] };
}

let scenes = 0;

/** An agent between a fake DPS and a fake hub, on a clock that stands still, with a state directory of its own. */
export class AgentScene extends AgentRecord implements AsyncDisposable {
  readonly clock: FakeClock;
  readonly dps = new FakeDpsTransport();
  readonly hub = new FakeHubTransport();
  readonly records: LogRecord[] = [];
  readonly directory: string;
  #agent: Agent | undefined;
  #settings: Settings | undefined;

  /** @param folder under which the state directory is made, when something is stored */
  constructor(folder: string, clock = new FakeClock()) {
    super();
    scenes += 1;
    this.directory = join(folder, `state-${scenes}`);
    this.clock = clock;
  }

  /** Makes the agent. Programs nothing: DPS and hub are the test's. */
  async create({ provisioning = {}, configuration = {}, clock: _, ...options }: SceneOptions = {}): Promise<Agent> {
    const loaded = await settingsFrom({
      provisioning: {
        source: "dps",
        id_scope: "0ne00000001",
        attestation: { method: "symmetric_key", registration_id: "device-1", symmetric_key: deviceKey },
        ...provisioning,
      },
      state: { directory: this.directory },
      ...configuration,
    } as Configuration);
    this.#settings = loaded.settings;
    const agent = await Agent.fromSettings(loaded, {
      clock: this.clock,
      random: () => 0.5,
      log: this.log,
      dpsTransport: this.dps,
      hubTransport: this.hub,
      routeFinder: givenWays,
      ...options,
    });
    this.follow(agent);
    this.#agent = agent;
    return agent;
  }

  /** The settings of the agent that was made. */
  get settings(): Settings {
    if (this.#settings === undefined) throw new Error("no agent was made yet");
    return this.#settings;
  }

  /** The agent's logger. */
  get log(): Logger {
    return createLogger("trace", (record) => this.records.push(record));
  }

  /** What the agent would have stored in an earlier life. */
  async store(hub: string): Promise<this> {
    const binding = {
      idScope: "0ne00000001",
      registrationId: "device-1",
      endpoint: "auto",
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
      endpoint: "auto",
    });
    return assignment?.assignedHub;
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
