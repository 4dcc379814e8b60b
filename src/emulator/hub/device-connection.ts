import type { CredentialKind } from "../event-kinds.ts";
import type { DeviceLink } from "../mqtt/device-link.ts";
import type { Deliver } from "./cloud-to-device.ts";
import type { Device, Session } from "./device.ts";
import type { HubUsername } from "./hub-username.ts";
import { type Channel, channelOf } from "./topics.ts";

/** A live connection, as `hub.connections` shows it. */
export interface ConnectionSummary {
  readonly deviceId: string;
  readonly transport: "mqtt" | "mqtt-ws";
  readonly credential: CredentialKind;
  readonly remoteAddress: string;
  /** By the emulator's clock, milliseconds since the epoch. */
  readonly connectedAtMs: number;
  /** When the shared access signature ends it; absent with certificates. */
  readonly credentialExpiresAtMs?: number;
  readonly cleanSession: boolean;
  readonly keepAliveSeconds: number;
  readonly apiVersion: string;
  readonly modelId?: string;
  readonly clientAgent?: string;
  readonly subscriptions: readonly string[];
}

/** What a {@link DeviceConnection} is made of. */
export interface DeviceConnectionFacts {
  readonly link: DeviceLink;
  readonly device: Device;
  readonly username: HubUsername;
  readonly session: Session;
  readonly sessionPresent: boolean;
  readonly connectedAtMs: number;
  readonly credentialExpiresAtMs: number | undefined;
  /** How far ahead the hub's clock is for this connection, in milliseconds. */
  readonly clockSkewMs: number;
}

/** One device that is connected to a hub. */
export class DeviceConnection {
  readonly link: DeviceLink;
  readonly device: Device;
  readonly facts: DeviceConnectionFacts;
  readonly #session: Session;
  #receiving = false;

  constructor(facts: DeviceConnectionFacts) {
    this.facts = facts;
    this.link = facts.link;
    this.device = facts.device;
    this.#session = facts.session;
  }

  /** Whether the device has proved itself with a token or a certificate. */
  get credential(): CredentialKind {
    return this.link.connectPacket.password === undefined ? "certificate" : "sas";
  }

  get subscriptions(): readonly string[] {
    return [...this.#session.keys()];
  }

  /** Whether the device listens to `channel`. */
  hears(channel: Channel): boolean {
    return this.subscriptions.some((filter) => channelOf(filter, this.device.deviceId) === channel);
  }

  subscribe(filter: string, qos: 0 | 1): void {
    this.#session.set(filter, qos);
  }

  unsubscribe(filter: string): void {
    this.#session.delete(filter);
    if (!this.hears("devicebound")) this.stopReceiving();
  }

  /** Lets the device's queue flow, if the device listens to it and it does not flow yet. */
  startReceiving(): void {
    if (this.#receiving || !this.hears("devicebound")) return;
    this.#receiving = true;
    this.device.queue.attach(this.#deliver);
  }

  stopReceiving(): void {
    this.#receiving = false;
    this.device.queue.detach(this.#deliver);
  }

  summary(): ConnectionSummary {
    const { username, connectedAtMs, credentialExpiresAtMs } = this.facts;
    const { cleanSession, keepAliveSeconds } = this.link.connectPacket;
    const { apiVersion, modelId, clientAgent } = username;
    return {
      deviceId: this.device.deviceId,
      transport: this.link.peer.transport,
      credential: this.credential,
      remoteAddress: this.link.peer.remoteAddress,
      connectedAtMs,
      ...(credentialExpiresAtMs === undefined ? {} : { credentialExpiresAtMs }),
      cleanSession,
      keepAliveSeconds,
      apiVersion,
      ...(modelId === undefined ? {} : { modelId }),
      ...(clientAgent === undefined ? {} : { clientAgent }),
      subscriptions: this.subscriptions,
    };
  }

  /** With QoS 0 nothing is acknowledged: the message counts as completed once it is written. */
  readonly #deliver: Deliver = async (topic, payload, again) => {
    const atLeastOnce = [...this.#session].some(
      ([filter, qos]) => qos === 1 && channelOf(filter, this.device.deviceId) === "devicebound",
    );
    if (atLeastOnce) await this.link.sendAcknowledged(topic, payload, { duplicate: again });
    else this.link.send(topic, payload);
  };
}
