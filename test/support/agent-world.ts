import { Agent, type AgentOptions } from "../../src/agent/agent.ts";
import type { Settings } from "../../src/config/settings.ts";
import { settingsFrom } from "../../src/config/settings-from.ts";
import type { Configuration } from "../../src/config/settings-schema.ts";
import { Emulator, type EmulatorOptions, type EnrollmentOptions, type Hub } from "../../src/emulator/index.ts";
import { createLogger, type LogRecord } from "../../src/log.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { AgentRecord } from "./agent-record.ts";
import type { ScratchFolder } from "./scratch-folder.ts";

/** Seconds that the emulated DPS asks devices to wait; no deadline in the agent is as long, so that a clock can tell. */
const pollSeconds = 7;

/**
 * A clock that stands still, except that polls of a registration, and waits of no length, pass at once: no test that is
 * not about them has to push them.
 */
export class WorldClock extends FakeClock {
  #turn: Promise<void> = Promise.resolve();

  constructor(startsAt: number = Date.now()) {
    super(startsAt);
  }

  override sleep(ms: number, options?: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    const slept = super.sleep(ms, options);
    if (ms <= 0 || ms === pollSeconds * 1000) void this.advance(ms);
    return slept;
  }

  /** One after the other, since anybody may be asleep whenever time moves. */
  override advance(ms: number): Promise<void> {
    this.#turn = this.#turn.then(() => super.advance(ms));
    return this.#turn;
  }
}

/** What differs from the usual agent. */
export interface WorldAgentOptions extends AgentOptions {
  readonly carrier?: "mqtt" | "mqtt-ws";
  readonly configuration?: Partial<Configuration>;
}

let worlds = 0;

/** The emulator on loopback, and a device that knows nothing but its names; verified TLS, real sockets, no real time. */
export class AgentWorld extends AgentRecord implements AsyncDisposable {
  readonly emulator: Emulator;
  /** The device's. */
  readonly clock: FakeClock;
  readonly records: LogRecord[] = [];
  readonly #directory: string;
  readonly #agents: Agent[] = [];
  #settings: Settings | undefined;

  private constructor(emulator: Emulator, clock: FakeClock, directory: string) {
    super();
    this.emulator = emulator;
    this.clock = clock;
    this.#directory = directory;
  }

  /** @param clock the device's; also the emulator's, unless `options` has another */
  static async open(
    folder: ScratchFolder,
    options: EmulatorOptions = {},
    clock: FakeClock = new WorldClock(),
  ): Promise<AgentWorld> {
    worlds += 1;
    const emulator = await Emulator.start({ clock, retryAfterSeconds: pollSeconds, ...options });
    return new AgentWorld(emulator, clock, folder.file(`world-${worlds}`));
  }

  /** The settings of the agent that was made last. */
  get settings(): Settings {
    if (this.#settings === undefined) throw new Error("no agent was made yet");
    return this.#settings;
  }

  /** The only hub, or the first. */
  get hub(): Hub {
    return this.emulator.hub();
  }

  /** An agent for a new individual enrollment with a symmetric key, `device-1` if the test does not name it. */
  async device(
    enrollment: Partial<EnrollmentOptions> & { readonly registrationId?: string } = {},
    { carrier = "mqtt", ...options }: WorldAgentOptions & { readonly provisioning?: object } = {},
  ): Promise<Agent> {
    const { registrationId = "device-1", ...more } = enrollment;
    const attestation = { method: "symmetric_key" } as const;
    const { primaryKey } = this.emulator.dps.enroll({ attestation, ...more, registrationId } as EnrollmentOptions);
    return this.agent(
      { method: "symmetric_key", registration_id: registrationId, symmetric_key: primaryKey },
      { carrier, ...options },
    );
  }

  /** An agent with an `[provisioning.attestation]` of its own. Each has the same state directory: it is one device. */
  async agent(
    attestation: object,
    { provisioning = {}, ...options }: WorldAgentOptions & { readonly provisioning?: object } = {},
  ): Promise<Agent> {
    const { idScope } = this.emulator.ready;
    return this.make({ source: "dps", id_scope: idScope, ...provisioning, attestation }, options);
  }

  /** An agent with a `[provisioning]` of its own. */
  async make(provisioning: object, { carrier, configuration, ...options }: WorldAgentOptions = {}): Promise<Agent> {
    const transport = carrier ?? "mqtt";
    const isDps = "source" in provisioning && provisioning.source === "dps";
    const loaded = await settingsFrom({
      ...configuration,
      provisioning: isDps ? { transport, ...provisioning } : provisioning,
      hub: { transport, ...configuration?.hub },
      network: {
        trust_bundle: this.emulator.ready.caFile,
        connect_to: [...this.emulator.connectTo],
        ...configuration?.network,
      },
      state: { directory: this.#directory },
    } as Configuration);
    this.#settings = loaded.settings;
    const agent = await Agent.fromSettings(loaded, {
      clock: this.clock,
      // Every wait with full jitter is then of no length.
      random: () => 0,
      log: createLogger("trace", (record) => this.records.push(record)),
      ...options,
    });
    this.follow(agent);
    this.#agents.push(agent);
    return agent;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A test may leave something under way that closing waits for a while.
    await Promise.all([...this.#agents.map((agent) => agent.close()), this.clock.advance(10_000)]);
    await this.emulator.close();
  }
}
