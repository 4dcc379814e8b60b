import type { Clock } from "../../clock.ts";
import type { Logger } from "../../log.ts";
import type { EventLog } from "../event-log.ts";
import { clockSkewOf, deliveryOf, disturbNext, losesConnection } from "../faults/delivery.ts";
import type { DeviceLink } from "../mqtt/device-link.ts";
import {
  type ConnackCode,
  type ConnectPacket,
  connackCodes,
  type PublishPacket,
  type Qos,
  type Will,
} from "../mqtt/packets.ts";
import type { ConnectAnswer, MqttService } from "../mqtt/service.ts";
import type { Recording } from "../recording.ts";
import type { ServiceModes } from "../service-modes.ts";
import { DeviceConnection } from "./device-connection.ts";
import type { DeviceRegistry } from "./device-registry.ts";
import type { HubFaults } from "./faults.ts";
import { isAnotherHub } from "./hub-names.ts";
import { type HubUsername, parseHubUsername } from "./hub-username.ts";
import { hostsFor, judgeIdentity } from "./identity-check.ts";
import { type MethodCalls, maxMethodBytes } from "./methods.ts";
import { maxTelemetryBytes, type ReceivedTelemetry, TelemetryIntake } from "./telemetry.ts";
import { type Channel, channelOf, type DeviceTopic, parseDeviceTopic } from "./topics.ts";
import { TwinDesk } from "./twin-desk.ts";

/** What a {@link HubService} works with. */
export interface HubServiceParts {
  readonly name: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: EventLog;
  readonly registry: DeviceRegistry;
  readonly modes: ServiceModes;
  readonly faults: HubFaults;
  readonly methods: MethodCalls;
  readonly telemetry: Recording<ReceivedTelemetry>;
}

/** A device may not have more topic filters than this. */
const maxSubscriptions = 5;

/** The device side of one IoT hub: who may connect, and what each topic means. */
export class HubService implements MqttService {
  readonly name: string;
  readonly #parts: HubServiceParts;
  readonly #intake: TelemetryIntake;
  readonly #twins: TwinDesk;
  readonly #byDevice = new Map<string, DeviceConnection>();
  readonly #byLink = new WeakMap<DeviceLink, DeviceConnection>();

  constructor(parts: HubServiceParts) {
    this.name = parts.name;
    this.#parts = parts;
    this.#intake = new TelemetryIntake(parts.name, parts.clock);
    this.#twins = new TwinDesk(parts);
    parts.registry.onGone((deviceId, why) => this.connectionOf(deviceId)?.link.breach(why));
  }

  /** The live connections, oldest first. */
  get connections(): readonly DeviceConnection[] {
    return [...this.#byDevice.values()];
  }

  connectionOf(deviceId: string): DeviceConnection | undefined {
    return this.#byDevice.get(deviceId);
  }

  /** The connection on which a device listens to `channel`, when it does. */
  listenerOf(deviceId: string, channel: Channel): DeviceConnection | undefined {
    const connection = this.connectionOf(deviceId);
    return connection?.hears(channel) ? connection : undefined;
  }

  connect(link: DeviceLink, packet: ConnectPacket): ConnectAnswer {
    const { modes, faults, clock } = this.#parts;
    modes.watch(link);
    if (modes.refusalCode !== undefined) return this.#refuse(packet, modes.refusalCode, "the hub turns clients away");
    const username = parseHubUsername(packet.username ?? "");
    if (username === undefined)
      return this.#refuse(packet, connackCodes.notAuthorized, "not the user name of a device");
    const fault = faults.take(username.deviceId, "connect");
    if (losesConnection(link, fault)) return { code: connackCodes.accepted };
    if (typeof fault === "object" && "connack" in fault) return this.#refuse(packet, fault.connack, "as scripted");
    const answer = this.#admit(link, packet, username, clockSkewOf(fault));
    return { ...answer, after: disturbNext(link, clock, fault) };
  }

  #admit(link: DeviceLink, packet: ConnectPacket, username: HubUsername, clockSkewMs: number): ConnectAnswer {
    const { registry, clock } = this.#parts;
    if (packet.clientId !== clientIdOf(username)) {
      return this.#refuse(packet, connackCodes.identifierRejected, `client id for user name ${packet.username}`);
    }
    if (isAnotherHub(this.name, username.host)) {
      return this.#refuse(packet, connackCodes.notAuthorized, `the user name is meant for ${username.host}`);
    }
    const device = username.moduleId === undefined ? registry.get(username.deviceId) : undefined;
    if (device === undefined) return this.#refuse(packet, connackCodes.notAuthorized, "there is no such device");
    const verdict = judgeIdentity(device, {
      sasToken: packet.password?.toString("utf8"),
      certificates: link.peer.certificates,
      hosts: hostsFor(this.name, username.host),
      nowMs: clock.now() + clockSkewMs,
    });
    if (!verdict.ok) return this.#refuse(packet, connackCodes.notAuthorized, verdict.why);
    this.#judgeWill(link, device.deviceId, packet.will);
    const sessionPresent = !packet.cleanSession && device.session !== undefined;
    const session = sessionPresent && device.session !== undefined ? device.session : new Map();
    device.session = packet.cleanSession ? undefined : session;
    const facts = { link, device, username, session, sessionPresent, clockSkewMs };
    const times = { connectedAtMs: clock.now(), credentialExpiresAtMs: verdict.expiresAtMs };
    this.#byLink.set(link, new DeviceConnection({ ...facts, ...times }));
    return { code: connackCodes.accepted, sessionPresent };
  }

  opened(link: DeviceLink): void {
    const connection = this.#byLink.get(link);
    if (connection === undefined) return;
    const { deviceId } = connection.device;
    const earlier = this.#byDevice.get(deviceId);
    this.#byDevice.delete(deviceId);
    this.#byDevice.set(deviceId, connection);
    // The new connection is accepted first; then the old one goes.
    earlier?.link.breach("taken-over");
    const { subscriptions: _, connectedAtMs: __, credentialExpiresAtMs, ...facts } = connection.summary();
    const { sessionPresent, clockSkewMs } = connection.facts;
    this.#parts.events.add("hub.connected", { hub: this.name, sessionPresent, ...facts });
    this.#parts.log.info(() => `${deviceId} connected`, { transport: facts.transport, credential: facts.credential });
    if (credentialExpiresAtMs !== undefined) this.#closeAt(credentialExpiresAtMs - clockSkewMs, link);
    connection.startReceiving();
  }

  subscribe(link: DeviceLink, filter: string, qos: Qos): Qos | undefined {
    const connection = this.#byLink.get(link);
    if (connection === undefined) return undefined;
    const { deviceId } = connection.device;
    const known = connection.subscriptions;
    if (channelOf(filter, deviceId) === undefined) link.breach("unknown-filter", filter);
    else if (!known.includes(filter) && known.length >= maxSubscriptions) link.breach("too-many-subscriptions", filter);
    else {
      const granted = qos === 0 ? 0 : 1;
      connection.subscribe(filter, granted);
      this.#parts.events.add("hub.subscribed", { hub: this.name, deviceId, filter });
      return granted;
    }
    return undefined;
  }

  subscribed(link: DeviceLink): void {
    this.#byLink.get(link)?.startReceiving();
  }

  unsubscribe(link: DeviceLink, filter: string): void {
    this.#byLink.get(link)?.unsubscribe(filter);
  }

  publish(link: DeviceLink, packet: PublishPacket): Promise<void> | undefined {
    const connection = this.#byLink.get(link);
    if (connection === undefined) return undefined;
    const topic = parseDeviceTopic(packet.topic, connection.device.deviceId);
    if (topic?.kind === "telemetry") return this.#serveTelemetry(connection, topic.bagText, packet);
    if (topic === undefined) link.breach("unknown-topic", packet.topic);
    else if (topic.requestId === undefined) link.breach("missing-request-id", packet.topic);
    else if (topic.kind === "method-answer") this.#takeMethodAnswer(connection, topic, topic.requestId, packet.payload);
    else this.#twins.serve(connection, topic, topic.requestId, packet.payload);
    return undefined;
  }

  closed(link: DeviceLink, will: Will | undefined): void {
    const connection = this.#byLink.get(link);
    if (connection === undefined) return;
    const { deviceId } = connection.device;
    if (this.#byDevice.get(deviceId) === connection) this.#byDevice.delete(deviceId);
    connection.stopReceiving();
    const topic = will === undefined ? undefined : parseDeviceTopic(will.topic, deviceId);
    if (will !== undefined && topic?.kind === "telemetry") {
      const added = { "iothub-MessageType": "Will" };
      this.#takeTelemetry(connection, topic.bagText, { ...will, duplicate: false }, added);
    }
    this.#parts.events.add("hub.disconnected", { hub: this.name, deviceId, reason: link.closeReason });
    this.#parts.log.info(() => `${deviceId} disconnected: ${link.closeReason}`);
  }

  #refuse(packet: ConnectPacket, code: ConnackCode, reason: string): ConnectAnswer {
    this.#parts.events.add("hub.refused", { hub: this.name, clientId: packet.clientId, code, reason });
    this.#parts.log.warn(() => `refused ${packet.clientId} with CONNACK ${code}: ${reason}`);
    return { code };
  }

  #judgeWill(link: DeviceLink, deviceId: string, will: Will | undefined): void {
    if (will === undefined) return;
    if (will.qos === 2) link.breach("qos-2", "will");
    else if (parseDeviceTopic(will.topic, deviceId)?.kind !== "telemetry")
      link.breach("unknown-topic", `will: ${will.topic}`);
  }

  #closeAt(expiresAtMs: number, link: DeviceLink): void {
    this.#parts.clock.sleep(expiresAtMs - this.#parts.clock.now(), { signal: link.signal }).then(
      () => link.breach("credential-expired"),
      () => {}, // the connection ended first
    );
  }

  /** The promise is that of {@link MqttService.publish}. */
  #serveTelemetry(connection: DeviceConnection, bagText: string, packet: PublishPacket): Promise<void> | undefined {
    const { faults, clock } = this.#parts;
    const { link, device } = connection;
    const fault = faults.take(device.deviceId, "telemetry");
    if (fault === "silence") return new Promise(() => {});
    if (fault !== "drop") this.#takeTelemetry(connection, bagText, packet);
    // Without PUBACK there is nothing to hold, to delay or to cut but the connection.
    const { cutAfterBytes } = deliveryOf(fault);
    if (fault === "drop" || (cutAfterBytes !== undefined && packet.qos === 0)) link.drop();
    if (packet.qos === 0) return undefined;
    return fault === "hold" ? faults.hold(device.deviceId, link.signal) : disturbNext(link, clock, fault);
  }

  #takeTelemetry(
    { device, link }: DeviceConnection,
    bagText: string,
    { payload, qos, retain, duplicate }: Pick<PublishPacket, "payload" | "qos" | "retain" | "duplicate">,
    added?: Readonly<Record<string, string>>,
  ): void {
    const { deviceId } = device;
    const extra = added === undefined ? {} : { added };
    const taken = this.#intake.take({ deviceId, bagText, payload, qos, retain, duplicate, ...extra });
    if ("bytes" in taken) {
      link.breach("message-too-large", `${taken.bytes} bytes, at most ${maxTelemetryBytes}`);
      return;
    }
    this.#parts.telemetry.add(taken);
    const { sequenceNumber } = taken;
    this.#parts.events.add("hub.telemetry", { hub: this.name, deviceId, sequenceNumber });
  }

  #takeMethodAnswer(
    { device, link }: DeviceConnection,
    { status }: Extract<DeviceTopic, { kind: "method-answer" }>,
    requestId: string,
    payload: Buffer,
  ): void {
    if (payload.length > maxMethodBytes) {
      link.breach("message-too-large", `a method answer of ${payload.length} bytes, at most ${maxMethodBytes}`);
    } else if (!this.#parts.methods.answer(link, requestId, status, payload)) {
      this.#parts.log.debug(() => `${device.deviceId} answered a method call that nobody waits for`, { requestId });
    }
  }
}

function clientIdOf({ deviceId, moduleId }: HubUsername): string {
  return moduleId === undefined ? deviceId : `${deviceId}/${moduleId}`;
}
