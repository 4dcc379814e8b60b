import { EventEmitter } from "node:events";
import { untilAborted } from "../abort.ts";
import { type Clock, systemClock } from "../clock.ts";
import type { Settings } from "../config/settings.ts";
import { type LoadedSettings, settingsFrom } from "../config/settings-from.ts";
import type { Configuration } from "../config/settings-schema.ts";
import { describeCause, isLandfallError, LandfallError } from "../errors.ts";
import type { ReceivedMessage } from "../hub/cloud-messages.ts";
import type { DesiredChange } from "../hub/desired-document.ts";
import type { MethodHandler, MethodOptions } from "../hub/direct-methods.ts";
import { HubSession } from "../hub/hub-session.ts";
import type { Destination } from "../hub/hub-traffic.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import { type Logger, silentLogger } from "../log.ts";
import type { Assignment } from "../provisioning/assignment.ts";
import type { McuLink } from "../serial/mcu-link.ts";
import { tellListeners } from "../tell-listeners.ts";
import type { TelemetryMessage, TwinDocument } from "../transport/messages.ts";
import type { CallOptions, DpsTransport, HubTransport } from "../transport/transport.ts";
import { type Composition, compose } from "./composition.ts";
import type { AgentEvents, AgentPlace, AssignmentOrigin, Tell } from "./events.ts";
import { type MessageOptions, telemetryMessage } from "./message.ts";
import type { OpeningDelayed } from "./patient-opening.ts";
import { Provisioner } from "./provisioner.ts";
import type { RouteFinder } from "./route-finder.ts";

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
  /** Finds the way to DPS and hubs, in place of the endpoint decision. */
  readonly routeFinder?: RouteFinder;
  /**
   * Hardware that holds the identity and is not there, or has a bad moment, is waited for without limit, and this is told
   * of each wait, as the event `waiting` is later. Default: {@link Agent.create} rejects.
   */
  readonly onWaiting?: (about: OpeningDelayed) => void;
}

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
  readonly #provisioner: Provisioner;
  readonly #session: HubSession;
  readonly #log: Logger;
  readonly #tell: Tell = (name, about) => tellListeners(() => (this as EventEmitter).emit(name, about));
  #started: Promise<void> | undefined;
  #ending: Promise<void> | undefined;
  #closed: LandfallError | undefined;
  #place: AgentPlace | undefined;
  #destination: Destination | undefined;

  private constructor(settings: Settings, parts: Composition, options: AgentOptions) {
    super();
    const { clock = systemClock, random = Math.random, log = silentLogger } = options;
    const { attestation, assignments: source, hubTransport: transport, routes } = parts;
    this.#settings = settings;
    this.#parts = parts;
    this.#log = log;
    this.#provisioner = new Provisioner({
      source,
      registrationId: attestation.registrationId,
      adopt: (assignment, origin) => this.#adopt(assignment, origin),
      tell: this.#tell,
      clock,
      random,
      log,
    });
    const { telemetryWindow } = settings.hub;
    this.#session = HubSession.create({
      transport,
      clock,
      random,
      log: log.child("hub"),
      options: { telemetryWindow },
    });
    routes.on("found", (route) => this.#tell("endpoint", route));
    this.#followSession();
  }

  /**
   * Validates a configuration (shape and names of the TOML file, as an object), opens keys and checks credentials.
   * Contacts nobody.
   *
   * Rejects with `config.invalid` and one line in `details` for every fault, with `key.*`, `tpm.*`, `serial.*`,
   * `certificate.*` or `attestation.*`, or with `signal.reason`. With {@link AgentOptions.onWaiting} what may pass by
   * itself is waited for instead.
   */
  static async create(
    configuration: Configuration,
    options: AgentOptions = {},
    callOptions: CallOptions = {},
  ): Promise<Agent> {
    return Agent.fromSettings(await settingsFrom(configuration), options, callOptions);
  }

  /** As {@link create}, from settings that are validated already. Logs their warnings. */
  static async fromSettings(
    { settings, warnings }: LoadedSettings,
    options: AgentOptions = {},
    callOptions: CallOptions = {},
  ): Promise<Agent> {
    const { clock = systemClock, random = Math.random, log = silentLogger } = options;
    const { dpsTransport, hubTransport, routeFinder, onWaiting } = options;
    for (const warning of warnings) log.warn(warning);
    const surroundings = { clock, random, log, dpsTransport, hubTransport, routeFinder, said: warnings, onWaiting };
    const parts = await compose(settings, surroundings, callOptions);
    try {
      return new Agent(settings, parts, options);
    } catch (error) {
      await parts.attestation.close();
      await parts.mcu?.close();
      throw error;
    }
  }

  /** The registration id; with `source = "manual"` the device id. */
  get registrationId(): string {
    return this.#parts.attestation.registrationId;
  }

  /** The link to the MCU; `undefined` when none is configured. It is closed with the agent. */
  get mcu(): McuLink | undefined {
    return this.#parts.mcu?.link;
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
   * Provisions if needed, connects, and goes on in the background. Resolves once connected.
   *
   * What passes by itself is waited for, without limit: bound the wait with a `signal`, which does not stop the agent.
   * Rejects with what somebody has to mend first (`provisioning.*` of the retry class `never` …), after which the agent
   * is closed, and with `hub.closed`. Idempotent.
   */
  async start({ signal }: CallOptions = {}): Promise<AgentPlace> {
    signal?.throwIfAborted();
    this.#started ??= this.#begin();
    await untilAborted(this.#started, signal);
    await this.#session.whenConnected({ signal });
    return this.#requirePlace();
  }

  /** Resolves once connected, at once when the agent is. Rejects with `hub.closed` or `signal.reason`. */
  async whenConnected({ signal }: CallOptions = {}): Promise<void> {
    await this.#session.whenConnected({ signal });
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
   * Cloud-to-device messages, for one consumer at a time. A message is completed when the loop asks for the next one; a
   * loop that throws leaves it to be delivered again. Ends when the agent is closed.
   * Throws `hub.already-consumed` and `hub.closed`; an abort rejects with `signal.reason`.
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
   * Changes of the desired properties, in the order of their versions, for one consumer at a time. The first has the
   * whole document; after a reconnect follows what differs, and nothing comes twice. Ends when the agent is closed.
   * Throws `hub.already-consumed` and `hub.closed`; an abort rejects with `signal.reason`.
   */
  desiredChanges(options: CallOptions = {}): AsyncIterableIterator<DesiredChange> {
    return this.#session.desiredChanges(options);
  }

  /**
   * Merges into the reported properties (`null` deletes); resolves with their new version.
   * Rejects with `hub.twin-rejected`, `transport.timeout`, `hub.closed` or `signal.reason`.
   */
  async report(patch: JsonObject, options: CallOptions = {}): Promise<number> {
    return this.#session.patchReported(patch, options);
  }

  /** Reads the whole twin from the hub. Rejects as {@link report} does. */
  async twin(options: CallOptions = {}): Promise<TwinDocument> {
    return this.#session.readTwin(options);
  }

  /**
   * Asks DPS for the present assignment and stores it; while a registration is under way, its outcome is the answer. An
   * agent that is started moves there if it is another one; the old one is kept until then. With a source without DPS
   * the answer is the configured hub.
   *
   * Rejects with `provisioning.*`, `endpoint.*`, `transport.*`, `hub.closed` or `signal.reason`; an abort leaves the
   * registration to its fate.
   */
  async provision({ signal }: CallOptions = {}): Promise<Assignment> {
    signal?.throwIfAborted();
    this.#requireOpen();
    return untilAborted(this.#provisioner.ask("requested"), signal);
  }

  /** Resolves when everything handed to {@link send} and {@link report} is acknowledged. Rejects with `signal.reason`. */
  async drain(options: CallOptions = {}): Promise<void> {
    await this.#session.drain(options);
  }

  /**
   * Finishes what is under way (a few seconds at most), disconnects in an orderly way and releases the key.
   * Everything that still waits rejects with `hub.closed`; loops end. Idempotent.
   */
  async close(): Promise<void> {
    await this.#end(undefined);
    await this.#started?.catch(() => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #begin(): Promise<void> {
    const { provisioning } = this.#settings;
    try {
      await this.#provisioner.begin({
        askFirst: provisioning.source === "dps" && provisioning.alwaysReprovisionOnStartup,
      });
      if (this.#destination) this.#session.start(this.#destination);
    } catch (error) {
      await this.#end(error);
      throw error;
    }
  }

  /** From now on the assignment is where this device belongs. */
  async #adopt(assignment: Assignment, origin: AssignmentOrigin): Promise<void> {
    const { assignedHub: hub, deviceId, substatus, payload, tpmAuthenticationKey } = assignment;
    const destination = await this.#destinationOf(assignment);
    this.#requireOpen();
    const stays = this.#place?.hub === hub && this.#place.deviceId === deviceId;
    this.#place = { hub, deviceId, ...(payload === undefined ? {} : { payload }) };
    this.#destination = destination;
    // What DPS assigned is in the log already.
    if (origin !== "provisioned") this.#log.info("the hub is known", { hub, deviceId, origin });
    this.#tell("assigned", { ...this.#place, origin, ...(substatus === undefined ? {} : { substatus }) });
    // An activation blob brings a new key, also for the same hub.
    if (!stays || tpmAuthenticationKey !== undefined) this.#session.moveTo(destination);
  }

  async #destinationOf({ assignedHub, deviceId, tpmAuthenticationKey }: Assignment): Promise<Destination> {
    const { attestation, routes } = this.#parts;
    const activation = tpmAuthenticationKey === undefined ? undefined : Buffer.from(tpmAuthenticationKey, "base64");
    const credential = await attestation.hubCredential(activation);
    return {
      route: (options) => routes.toHub(assignedHub, options),
      identity: { deviceId, credential, modelId: this.#settings.hub.modelId },
    };
  }

  #followSession(): void {
    const session = this.#session;
    session.on("connected", () => {
      this.#provisioner.confirm();
      const { hub, deviceId } = this.#requirePlace();
      this.#tell("connected", { hub, deviceId });
    });
    session.on("disconnected", (about) => this.#tell("disconnected", about));
    session.on("waiting", ({ delayMs, error }) => this.#tell("waiting", { delayMs, error: this.#reasonToWait(error) }));
    session.on("renewed", ({ credentialExpiresAtMs: expiresAtMs }) =>
      this.#tell("renewed", expiresAtMs === undefined ? {} : { expiresAtMs }),
    );
    session.on("displaced", (about) => this.#tell("displaced", about));
    session.on("needs-provisioning", ({ reason }) => {
      void this.#provisioner.askAgain(reason === "refused" ? "hub-refused" : "hub-unreachable");
    });
  }

  /** A TPM without its key waits for DPS to send one: as long as DPS does not, what DPS said is the reason. */
  #reasonToWait(error: Error): Error {
    const isForDps = isLandfallError(error) && error.code === "tpm.identity-missing";
    return (isForDps && this.#provisioner.lastFailure) || error;
  }

  #requirePlace(): AgentPlace {
    if (this.#place === undefined) throw new LandfallError("hub.not-connected", "the agent has no hub yet");
    return this.#place;
  }

  #requireOpen(): void {
    if (this.#closed) throw this.#closed;
  }

  #end(error: unknown): Promise<void> {
    this.#ending ??= this.#endNow(error);
    return this.#ending;
  }

  /** @param error what the agent cannot go on with; absent when it was asked to end */
  async #endNow(error: unknown): Promise<void> {
    const closed =
      error === undefined
        ? new LandfallError("hub.closed", "the agent was closed")
        : new LandfallError("hub.closed", `the agent has ended: ${describeCause(error)}`, { cause: error });
    this.#closed = closed;
    try {
      // What still waits is told why.
      if (error instanceof Error) this.#session.destroy(error);
      await Promise.all([this.#provisioner.close(closed), this.#session.close()]);
    } finally {
      await this.#release();
      this.#tell("closed", error === undefined ? {} : { error });
    }
  }

  async #release(): Promise<void> {
    try {
      await this.#parts.attestation.close();
      await this.#parts.mcu?.close();
    } catch (error) {
      this.#log.warn(`the key was not let go of in good order: ${describeCause(error)}`, { error });
    }
  }
}
