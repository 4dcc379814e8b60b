import type { Clock } from "../../clock.ts";
import type { JsonObject, JsonValue } from "../../json.ts";
import { uuidFrom } from "../randomness.ts";
import { Recording } from "../recording.ts";
import { type Refusal, ServiceModes } from "../service-modes.ts";
import { type AddDeviceOptions, authenticationOf } from "./add-device.ts";
import { awaitListener } from "./await-listener.ts";
import type { OutgoingCloudMessage, SentMessage } from "./cloud-to-device.ts";
import type { Device } from "./device.ts";
import type { ConnectionSummary } from "./device-connection.ts";
import { DeviceRegistry } from "./device-registry.ts";
import { HubFaults } from "./faults.ts";
import { type FeedbackRecord, feedbackOn, type MessageOutcome } from "./feedback.ts";
import { type FileUpload, FileUploads, type UploadReport } from "./file-uploads.ts";
import type { AddedDevice, HttpsEvidence, HubOptions, InvokeOptions, TelemetryOptions } from "./hub-options.ts";
import { HubService } from "./hub-service.ts";
import { hostsFor, type IdentityVerdict, judgeIdentity } from "./identity-check.ts";
import { MethodCalls, type MethodResult } from "./methods.ts";
import { rejection } from "./rejection.ts";
import type { ReceivedTelemetry } from "./telemetry.ts";
import type { TwinSnapshot } from "./twin.ts";

/** One emulated IoT hub, from the side of its owner: devices, telemetry, messages, methods, twins, and mischief. */
export class Hub {
  /** The short name, such as `hub-a`. */
  readonly name: string;
  /** The name that clients verify and put into user name and token, such as `hub-a.azure-devices.net`. */
  readonly hostName: string;
  /** The device side, which the emulator's front door leads to. */
  readonly service: HubService;
  /** The device identities, which DPS writes to. */
  readonly registry: DeviceRegistry;
  readonly #options: HubOptions;
  /** Scripted faults for requests to come, and the PUBACKs that are held. */
  readonly faults = new HubFaults();
  /** For the emulator. */
  readonly clock: Clock;
  /** Ill health, for the emulator; switched with {@link refuse} and {@link silent}. */
  readonly modes = new ServiceModes();
  /** The files that devices upload; for the emulator. */
  readonly files: FileUploads;
  readonly #methods: MethodCalls;
  readonly #telemetry: Recording<ReceivedTelemetry>;
  readonly #feedback: Recording<FeedbackRecord>;

  constructor(options: HubOptions) {
    const { name, hostName, clock, random, events, log, recordLimit, blobs } = options;
    const { maxDeliveryCount = 10, messageTimeToLiveMs = 3_600_000 } = options;
    this.#options = options;
    this.name = name;
    this.hostName = hostName;
    this.clock = clock;
    this.registry = new DeviceRegistry({
      clock,
      random,
      maxDeliveryCount,
      messageTimeToLiveMs,
      onOutcome: (outcome) => this.#noteOutcome(outcome),
    });
    this.files = new FileUploads({ store: blobs, containerName: name, clock, random });
    this.#methods = new MethodCalls(clock);
    this.#telemetry = new Recording(recordLimit);
    this.#feedback = new Recording(recordLimit);
    this.service = new HubService({
      name,
      clock,
      log: log.child(name),
      events,
      registry: this.registry,
      modes: this.modes,
      faults: this.faults,
      methods: this.#methods,
      telemetry: this.#telemetry,
    });
  }

  /** The telemetry that has arrived, oldest first; the last ones when there are very many. */
  get received(): readonly ReceivedTelemetry[] {
    return this.#telemetry.all;
  }

  /**
   * Telemetry as it arrives, beginning with what has arrived already. Ends when the emulator is closed; throws
   * `signal.reason` when the signal aborts.
   */
  telemetry({ deviceId, from, signal }: TelemetryOptions = {}): AsyncIterableIterator<ReceivedTelemetry> {
    const where = (message: ReceivedTelemetry): boolean => deviceId === undefined || message.deviceId === deviceId;
    return this.#telemetry.watch({ where, from, signal });
  }

  /** The feedback on messages for devices that was asked for, oldest first. */
  get feedbackReceived(): readonly FeedbackRecord[] {
    return this.#feedback.all;
  }

  /**
   * Feedback as it arrives, beginning with what has arrived already. Ends when the emulator is closed; throws
   * `signal.reason` when the signal aborts.
   */
  feedback({ deviceId, from, signal }: TelemetryOptions = {}): AsyncIterableIterator<FeedbackRecord> {
    const where = (record: FeedbackRecord): boolean => deviceId === undefined || record.deviceId === deviceId;
    return this.#feedback.watch({ where, from, signal });
  }

  /** The files that devices have uploaded, or said they could not, oldest first. */
  get uploads(): readonly FileUpload[] {
    return this.files.finished;
  }

  /** The connections that are up, oldest first. */
  get connections(): readonly ConnectionSummary[] {
    return this.service.connections.map((connection) => connection.summary());
  }

  /** The ids of all devices. */
  get deviceIds(): readonly string[] {
    return this.registry.all.map(({ deviceId }) => deviceId);
  }

  /** Adds a device without DPS. Throws `emulator.rejected` when there is one by that id, or a key or certificate is unusable. */
  addDevice(options: AddDeviceOptions): AddedDevice {
    const { deviceId, twin, disabled = false } = options;
    if (this.registry.get(deviceId) !== undefined) throw rejection(409001, deviceId);
    const authentication = authenticationOf(
      options.authentication ?? { method: "symmetric_key" },
      this.#options.random,
    );
    this.registry.put({ deviceId, authentication, twin, disabled });
    if (authentication.kind !== "symmetric_key") return { deviceId };
    const { primaryKey, secondaryKey } = authentication;
    const connectionString = `HostName=${this.hostName};DeviceId=${deviceId};SharedAccessKey=${primaryKey}`;
    return { deviceId, primaryKey, secondaryKey, connectionString };
  }

  /** Removes a device; its connection is closed, its waiting messages are given up. Throws `emulator.rejected` when unknown. */
  removeDevice(deviceId: string): void {
    if (this.registry.remove(deviceId) === undefined) throw rejection(404001, deviceId);
  }

  /** Disables a device; its connection is closed and new ones are refused. Throws `emulator.rejected` when unknown. */
  disableDevice(deviceId: string): void {
    if (!this.registry.setDisabled(deviceId, true)) throw rejection(404001, deviceId);
  }

  /** Takes {@link disableDevice} back. Throws `emulator.rejected` when unknown. */
  enableDevice(deviceId: string): void {
    if (!this.registry.setDisabled(deviceId, false)) throw rejection(404001, deviceId);
  }

  /**
   * Queues a message for a device, connected or not. Throws `emulator.rejected`: unknown device, more than 65 536 bytes, or
   * 50 messages waiting already.
   */
  sendToDevice(deviceId: string, message: OutgoingCloudMessage): SentMessage {
    const messageId = message.messageId ?? uuidFrom(this.#options.random);
    return this.#device(deviceId).queue.add({ ...message, messageId });
  }

  /** Empties the queue of a device; returns how many messages waited. Throws `emulator.rejected` when it is unknown. */
  purgeMessages(deviceId: string): number {
    return this.#device(deviceId).queue.purge("the queue was purged");
  }

  /**
   * Rejects a message in its device's stead, which over MQTT cannot do it. Returns whether one waits by that id. Throws
   * `emulator.rejected` when the device is unknown.
   */
  rejectMessage(deviceId: string, messageId: string): boolean {
    return this.#device(deviceId).queue.reject(messageId);
  }

  /**
   * Calls a direct method and waits for the answer.
   * @param payload `undefined` sends an empty body
   * Rejects with `emulator.rejected`: unknown device (404001), not connected or not listening for methods in time (404103), gone
   * before it answered (404104), too late (504101), a body of more than 131 072 bytes (413001); or with `signal.reason`.
   */
  async invokeMethod(
    deviceId: string,
    name: string,
    payload?: JsonValue,
    { timeoutMs = 30_000, connectTimeoutMs: waitMs = 0, signal }: InvokeOptions = {},
  ): Promise<MethodResult> {
    signal?.throwIfAborted();
    this.#device(deviceId);
    const { service, clock } = this;
    const wanted = { deviceId, channel: "methods", waitMs, signal } as const;
    // Who is there is called at once.
    const connection =
      service.listenerOf(deviceId, "methods") ??
      (await awaitListener({ service, clock, events: this.#options.events }, wanted));
    signal?.throwIfAborted();
    if (connection === undefined) throw rejection(404103, deviceId);
    const { link } = connection;
    const result = await this.#methods.invoke({ link, deviceId, name, payload, timeoutMs, signal });
    this.#options.events.add("hub.method-answered", { hub: this.name, deviceId, name, status: result.status });
    return result;
  }

  /** The twin of a device, a copy. Throws `emulator.rejected` when unknown. */
  twin(deviceId: string): TwinSnapshot {
    return this.#device(deviceId).twin.snapshot();
  }

  /**
   * Merges a patch into the desired properties (`null` deletes) and pushes it to the device if it listens.
   * Returns the new version. Throws `emulator.rejected` when the device is unknown or the patch breaks a limit.
   */
  updateDesired(deviceId: string, patch: JsonObject): number {
    const { twin } = this.#device(deviceId);
    const outcome = twin.patch("desired", patch);
    if (!outcome.ok) throw rejection(400004, outcome.fault);
    const body = JSON.stringify({ ...patch, $version: outcome.version });
    const listener = this.service.listenerOf(deviceId, "desired");
    listener?.link.send(`$iothub/twin/PATCH/properties/desired/?$version=${outcome.version}`, body);
    return outcome.version;
  }

  /** Merges a patch into the tags, which devices never see. Throws `emulator.rejected` as {@link updateDesired} does. */
  updateTags(deviceId: string, patch: JsonObject): void {
    const outcome = this.#device(deviceId).twin.patch("tags", patch);
    if (!outcome.ok) throw rejection(400004, outcome.fault);
  }

  /** Cuts a device's connection as a failing network would. Throws `emulator.rejected` when it is not connected. */
  dropConnection(deviceId: string): void {
    const connection = this.service.connectionOf(deviceId);
    if (connection === undefined) throw rejection(404103, deviceId);
    connection.link.drop();
  }

  /** Closes a device's connection in good order, as a hub does that moves. Throws `emulator.rejected` when it is not connected. */
  closeConnection(deviceId: string): void {
    const connection = this.service.connectionOf(deviceId);
    if (connection === undefined) throw rejection(404103, deviceId);
    connection.link.close("the emulator closed the connection");
  }

  /**
   * Turns new clients away: `unavailable` with CONNACK 3 or HTTP 503, `unauthorized` with CONNACK 5 or HTTP 401; `undefined`
   * lets them in again.
   * Connections that are up stay up.
   */
  refuse(refusal: Refusal | undefined): void {
    this.modes.refuse(refusal);
  }

  /**
   * Falls silent: connections stay up, but whatever devices send is lost and nothing is answered; a new CONNECT gets no
   * answer either. `false` ends it for connections to come; those that lived through it are of no further use.
   */
  silent(silent: boolean): void {
    this.modes.setSilent(silent);
  }

  /** Judges a device that came over HTTPS; `undefined` when there is none by that id. For the emulator. */
  judge(deviceId: string, { host, ...evidence }: HttpsEvidence): IdentityVerdict | undefined {
    const device = this.registry.get(deviceId);
    const verdict = device && judgeIdentity(device, { ...evidence, hosts: hostsFor(this.name, host) });
    const log = this.#options.log.child(this.name);
    if (verdict === undefined) log.warn(() => `refused ${deviceId} over HTTPS: there is no such device`);
    else if (!verdict.ok) log.warn(() => `refused ${deviceId} over HTTPS: ${verdict.why}`);
    return verdict;
  }

  /** Takes a device's word that an upload is over. Returns false when it has none by that id. For the emulator. */
  finishUpload(deviceId: string, correlationId: string, report: UploadReport): boolean {
    const upload = this.files.finish(deviceId, correlationId, report);
    if (upload === undefined) return false;
    const { blobName, isSuccess } = upload;
    this.#options.events.add("hub.file-uploaded", { hub: this.name, deviceId, blobName, isSuccess });
    return true;
  }

  /** Ends everybody who reads telemetry or feedback, or waits for a message to be completed. For the emulator. */
  close(): void {
    this.#telemetry.close();
    this.#feedback.close();
    for (const { queue } of this.registry.all) queue.close();
  }

  #noteOutcome(outcome: MessageOutcome): void {
    const { deviceId, messageId, status } = outcome;
    const about = { hub: this.name, deviceId, messageId };
    if (status === "Success") this.#options.events.add("hub.message-completed", about);
    else this.#options.events.add("hub.message-given-up", { ...about, status });
    const record = feedbackOn(outcome);
    if (record !== undefined) this.#feedback.add(record);
  }

  #device(deviceId: string): Device {
    const device = this.registry.get(deviceId);
    if (device === undefined) throw rejection(404001, deviceId);
    return device;
  }
}
