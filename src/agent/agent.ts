import { EventEmitter } from "node:events";
import { untilAborted } from "../abort.ts";
import { Backoff } from "../backoff.ts";
import { type Clock, systemClock } from "../clock.ts";
import type { Settings } from "../config/settings.ts";
import { settingsFrom } from "../config/settings-from.ts";
import type { Configuration } from "../config/settings-schema.ts";
import { describeCause, isLandfallError, LandfallError } from "../errors.ts";
import type { ReceivedMessage } from "../hub/cloud-messages.ts";
import type { DesiredChange } from "../hub/desired-document.ts";
import type { MethodHandler, MethodOptions } from "../hub/direct-methods.ts";
import { HubSession } from "../hub/hub-session.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import { type Logger, silentLogger } from "../log.ts";
import type { Assignment } from "../provisioning/assignment.ts";
import type { TelemetryMessage, TwinDocument } from "../transport/messages.ts";
import type { CallOptions, DpsTransport, HubTransport } from "../transport/transport.ts";
import { type Composition, compose } from "./composition.ts";
import type { AgentEvents, AssignmentOrigin, ProvisioningReason } from "./events.ts";
import { type MessageOptions, telemetryMessage } from "./message.ts";

/** What an {@link Agent} may be given beside its configuration. */
export interface AgentOptions {
  /** Default: silent. */
  readonly log?: Logger;
  /** Default: the machine's own. */
  readonly clock?: Clock;
  /** Uniform random numbers in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
  /** A transport of your own to DPS, in place of the configured one. */
  readonly dpsTransport?: DpsTransport;
  /** A transport of your own to the hub, in place of the configured one. */
  readonly hubTransport?: HubTransport;
}

/** The hub that an agent works with, and who it is there. */
export interface AgentPlace {
  /** Host name of the hub. */
  readonly hub: string;
  readonly deviceId: string;
}

/** Between two rounds of asking DPS because of a hub that refuses; the first is at most this long, in milliseconds. */
const askAgain = { baseMs: 5000, capMs: 600_000 };

/**
 * A device: it finds its hub, connects, and goes on serving until it is closed.
 *
 * ```
 * create ──> start ──> stored or configured assignment? ──yes──> hub session ──────> serving
 *                        │ no, or always_reprovision_on_startup     ^    │ refused, or unreachable 10 times
 *                        └──> ask DPS ───── assignment ─────────────┘    └──> ask DPS beside, keep trying the old hub
 * ```
 *
 * Calls made before or between connections wait; bound them with a `signal`. Handlers and loops that are set up before
 * {@link start} are served from the first connection on.
 */
export class Agent extends EventEmitter<AgentEvents> implements AsyncDisposable {
  readonly #settings: Settings;
  readonly #parts: Composition;
  readonly #session: HubSession;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #pace: Backoff;
  readonly #life = new AbortController();
  #started: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  #place: AgentPlace | undefined;
  #asking: Promise<Assignment> | undefined;
  #mayAskAt = 0;

  private constructor(settings: Settings, parts: Composition, options: AgentOptions) {
    super();
    const { clock = systemClock, random = Math.random, log = silentLogger } = options;
    this.#settings = settings;
    this.#parts = parts;
    this.#clock = clock;
    this.#log = log;
    this.#pace = new Backoff({ ...askAgain, random });
    this.#session = HubSession.create({
      transport: parts.hubTransport,
      clock,
      random,
      log: log.child("hub"),
      options: { telemetryWindow: settings.hub.telemetryWindow },
    });
    this.#followSession();
  }

  /**
   * Validates a configuration (shape and names of the TOML file, as an object), opens keys and checks credentials.
   * Contacts nobody.
   *
   * Rejects with `config.invalid` and one line in `details` for every fault, or with `key.*`, `certificate.*` or
   * `attestation.*`.
   */
  static async create(configuration: Configuration, options: AgentOptions = {}): Promise<Agent> {
    const { settings, warnings } = await settingsFrom(configuration);
    for (const warning of warnings) options.log?.warn(warning);
    return Agent.fromSettings(settings, options);
  }

  /** As {@link create}, from settings that are validated already. */
  static async fromSettings(settings: Settings, options: AgentOptions = {}): Promise<Agent> {
    const { clock = systemClock, random = Math.random, log = silentLogger, dpsTransport, hubTransport } = options;
    const parts = await compose(settings, { clock, random, log, dpsTransport, hubTransport });
    try {
      return new Agent(settings, parts, options);
    } catch (error) {
      await parts.attestation.close();
      throw error;
    }
  }

  /** The registration id; with `source = "manual"` the device id. */
  get registrationId(): string {
    return this.#parts.attestation.registrationId;
  }

  /** How many messages may wait for an acknowledgement at one time. */
  get telemetryWindow(): number {
    return this.#settings.hub.telemetryWindow;
  }

  /** The hub of the present assignment; `undefined` before there is one. */
  get place(): AgentPlace | undefined {
    return this.#place;
  }

  /**
   * Provisions if needed, connects, and goes on in the background. Resolves once connected for the first time.
   *
   * What passes by itself is waited for, without limit: bound the wait with a `signal`, which does not stop the agent.
   * Rejects with what somebody has to mend first (`provisioning.*` of the retry class `never` …), after which the agent
   * is closed. Idempotent.
   */
  async start({ signal }: CallOptions = {}): Promise<AgentPlace> {
    this.#started ??= this.#begin();
    this.#started.catch(() => {});
    await untilAborted(this.#started, signal);
    await this.#session.whenConnected({ signal });
    return this.#requirePlace();
  }

  /**
   * Sends telemetry at QoS 1; resolves once the hub has acknowledged it, on whatever connection. Bytes go as they are,
   * everything else as JSON. Waits while `telemetry_window` messages are unacknowledged.
   * Rejects with `transport.message-too-large` above 256 KB, `hub.closed` or `signal.reason`.
   */
  async send(body: JsonValue | Uint8Array, { signal, ...options }: MessageOptions & CallOptions = {}): Promise<void> {
    await this.#session.send(telemetryMessage(body, options), { signal });
  }

  /** {@link send} for a message that is put together already. */
  async sendMessage(message: TelemetryMessage, options: CallOptions = {}): Promise<void> {
    await this.#session.send(message, options);
  }

  /**
   * Cloud-to-device messages for one consumer. A message is completed when the loop asks for the next one; a loop that
   * throws leaves it to be delivered again.
   */
  messages(options: CallOptions = {}): AsyncIterableIterator<ReceivedMessage> {
    return this.#session.messages(options);
  }

  /**
   * Answers calls of a direct method until the result is disposed of. A handler that throws answers 500; what it threw
   * is logged and not sent. Throws `hub.method-exists` for a name that is taken.
   */
  onMethod(name: string, handler: MethodHandler, options: MethodOptions = {}): Disposable {
    return this.#session.onMethod(name, handler, options);
  }

  /**
   * Changes of the desired properties, in the order of their versions, for one consumer. The first has the whole
   * document; after a reconnect follows what differs, and nothing comes twice.
   */
  desiredChanges(options: CallOptions = {}): AsyncIterableIterator<DesiredChange> {
    return this.#session.desiredChanges(options);
  }

  /** Merges into the reported properties (`null` deletes); resolves with their new version. */
  async report(patch: JsonObject, options: CallOptions = {}): Promise<number> {
    return this.#session.patchReported(patch, options);
  }

  /** Reads the whole twin from the hub. */
  async twin(options: CallOptions = {}): Promise<TwinDocument> {
    return this.#session.readTwin(options);
  }

  /**
   * Asks DPS for the present assignment and stores it. An agent that is started moves there if it is another one; the
   * old one is kept until then. With a source without DPS the answer is the configured hub.
   * Rejects with `provisioning.*`, `endpoint.*`, `transport.*` or `signal.reason`.
   */
  async provision({ signal }: CallOptions = {}): Promise<Assignment> {
    return untilAborted(this.#askAndMove("requested"), signal);
  }

  /** Resolves when everything handed to {@link send} and {@link report} is acknowledged. */
  async drain(options: CallOptions = {}): Promise<void> {
    await this.#session.drain(options);
  }

  /**
   * Finishes what is under way (a few seconds at most), disconnects in an orderly way and releases the key.
   * Everything that still waits rejects with `hub.closed`; loops end. Idempotent.
   */
  async close(): Promise<void> {
    await this.#end(undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #begin(): Promise<void> {
    try {
      const found = await this.#firstAssignment();
      this.#session.start(await this.#destination(found));
    } catch (error) {
      void this.#end(error);
      throw error;
    }
  }

  async #firstAssignment(): Promise<Assignment> {
    const { provisioning } = this.#settings;
    const askFirst = provisioning.source === "dps" && provisioning.alwaysReprovisionOnStartup;
    const known = await this.#parts.assignments.known();
    if (known && !askFirst) return this.#assigned(known.assignment, known.origin);
    try {
      return await this.#askUntilAssigned(known ? "startup" : "first-time", known === undefined);
    } catch (error) {
      if (known === undefined || this.#life.signal.aborted) throw error;
      this.#log.warn(`going on with the stored assignment: ${describeCause(error)}`);
      return this.#assigned(known.assignment, known.origin);
    }
  }

  /** @param patient whether failures that pass by themselves are waited for */
  async #askUntilAssigned(reason: ProvisioningReason, patient: boolean): Promise<Assignment> {
    const { signal } = this.#life;
    for (;;) {
      try {
        return await this.#ask(reason);
      } catch (error) {
        signal.throwIfAborted();
        const retryInMs = patient ? retryDelayMs(error, this.#pace) : undefined;
        this.emit("provisioning-failed", {
          error: error instanceof Error ? error : new Error(describeCause(error)),
          ...(retryInMs === undefined ? {} : { retryInMs }),
        });
        if (retryInMs === undefined) throw error;
        this.#log.warn(
          `provisioning failed, next attempt in ${(retryInMs / 1000).toFixed(1)} s: ${describeCause(error)}`,
        );
        await this.#clock.sleep(retryInMs, { signal });
      }
    }
  }

  async #ask(reason: ProvisioningReason): Promise<Assignment> {
    const { assignments } = this.#parts;
    const { registrationId } = this;
    this.#log.info("asking DPS for an assignment", { reason, registrationId });
    this.emit("provisioning", { reason, registrationId });
    const assignment = await assignments.ask({ signal: this.#life.signal });
    this.#pace.reset();
    return this.#assigned(assignment, "provisioned");
  }

  #assigned(assignment: Assignment, origin: AssignmentOrigin): Assignment {
    const { assignedHub: hub, deviceId, substatus } = assignment;
    this.#place = { hub, deviceId };
    this.#log.info("assigned to a hub", { hub, deviceId, origin, substatus });
    this.emit("assigned", { hub, deviceId, origin, ...(substatus === undefined ? {} : { substatus }) });
    return assignment;
  }

  async #destination({ assignedHub: host, deviceId, tpmAuthenticationKey }: Assignment) {
    const activation = tpmAuthenticationKey === undefined ? undefined : Buffer.from(tpmAuthenticationKey, "base64");
    const credential = await this.#parts.attestation.hubCredential(activation);
    return {
      route: () => this.#parts.routes.toHub(host),
      identity: { deviceId, credential, modelId: this.#settings.hub.modelId },
    };
  }

  #followSession(): void {
    const session = this.#session;
    this.#parts.routes.on("found", (route) => this.emit("endpoint", route));
    session.on("connected", () => {
      const place = this.#requirePlace();
      this.#pace.reset();
      this.emit("connected", place);
    });
    session.on("disconnected", (about) => this.emit("disconnected", about));
    session.on("waiting", ({ delayMs, error }) => this.emit("waiting", { delayMs, error }));
    session.on("renewed", ({ credentialExpiresAtMs: expiresAtMs }) =>
      this.emit("renewed", expiresAtMs === undefined ? {} : { expiresAtMs }),
    );
    session.on("displaced", (about) => this.emit("displaced", about));
    session.on("needs-provisioning", () => {
      if (!this.#parts.assignments.asksService || this.#clock.elapsed() < this.#mayAskAt) return;
      this.#askAndMove("hub-refused").catch((error: unknown) => {
        if (!this.#life.signal.aborted) this.#log.warn(`keeping the old assignment: ${describeCause(error)}`);
      });
    });
  }

  /** One round at a time; whoever asks meanwhile gets the result of the round under way. */
  #askAndMove(reason: ProvisioningReason): Promise<Assignment> {
    this.#asking ??= this.#askAndMoveNow(reason).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #askAndMoveNow(reason: ProvisioningReason): Promise<Assignment> {
    await this.#started;
    const before = this.#place;
    // A hub that goes on refusing must not make this device hammer DPS.
    this.#mayAskAt = this.#clock.elapsed() + this.#pace.next();
    const assignment = await this.#askUntilAssigned(reason, false);
    const { hub, deviceId } = this.#requirePlace();
    const moved = hub !== before?.hub || deviceId !== before.deviceId;
    if (this.#started && (moved || assignment.tpmAuthenticationKey !== undefined)) {
      this.#session.moveTo(await this.#destination(assignment));
    }
    return assignment;
  }

  #requirePlace(): AgentPlace {
    if (this.#place === undefined) throw new LandfallError("hub.not-connected", "the agent has no hub yet");
    return this.#place;
  }

  #end(error: unknown): Promise<void> {
    this.#closed ??= this.#endNow(error);
    return this.#closed;
  }

  async #endNow(error: unknown): Promise<void> {
    const reason = error ?? new LandfallError("hub.closed", "the agent was closed");
    this.#life.abort(reason);
    try {
      await this.#session.close();
    } finally {
      await this.#parts.attestation.close();
      this.emit("closed", error === undefined ? {} : { error });
    }
  }
}

/** Milliseconds until the next attempt, or `undefined` when somebody has to mend something first. */
function retryDelayMs(error: unknown, pace: Backoff): number | undefined {
  if (!isLandfallError(error) || error.retry === "never") return undefined;
  return Math.max(error.retryAfterMs ?? 0, pace.next());
}
