import { setMaxListeners } from "node:events";
import { untilAborted } from "../../abort.ts";
import type { Logger } from "../../log.ts";
import type { DeviceLink } from "../mqtt/device-link.ts";
import { type ConnectPacket, connackCodes, type PublishPacket } from "../mqtt/packets.ts";
import type { Peer } from "../mqtt/peer.ts";
import { type Rule, rules } from "../mqtt/rules.ts";
import type { MqttService } from "../mqtt/service.ts";

/** What a {@link BrokerLink} is made with. */
export interface BrokerLinkOptions {
  readonly service: MqttService;
  readonly peer: Peer;
  /** The CONNECT that the device would have sent to the service. */
  readonly connectPacket: ConnectPacket;
  /** The filters that the device would have subscribed to. */
  readonly filters: readonly string[];
  /** Publishes through the broker; resolves when the broker has taken the message. */
  readonly publish: (topic: string, payload: Buffer, qos: 0 | 1) => Promise<void>;
  readonly log: Logger;
  readonly onBreach: (rule: Rule, service: string, clientId: string) => void;
}

/** The rules whose breach ends a link; a broker's clients are out of reach for the others. */
const endings: ReadonlySet<Rule> = new Set(["credential-expired", "taken-over", "device-disabled", "device-removed"]);

/** The length of a topic is written in two bytes. */
const maxTopicBytes = 65_535;

/**
 * A device behind a broker, as one service sees it: always subscribed to everything that a device may subscribe to, since
 * a broker does not tell. Its end is not the end of the device's own connection, which belongs to the broker.
 */
export class BrokerLink implements DeviceLink {
  readonly peer: Peer;
  readonly connectPacket: ConnectPacket;
  readonly signal: AbortSignal;
  silent = false;
  readonly #options: BrokerLinkOptions;
  readonly #ended = new AbortController();
  #open = false;
  #cutsNext = false;
  #closeReason = "the emulator was closed";

  private constructor(options: BrokerLinkOptions) {
    this.#options = options;
    this.peer = options.peer;
    this.connectPacket = options.connectPacket;
    this.signal = this.#ended.signal;
    setMaxListeners(0, this.signal); // every method call under way listens
  }

  /** Introduces the device to the service; `undefined` when that refuses it. */
  static open(options: BrokerLinkOptions): BrokerLink | undefined {
    const link = new BrokerLink(options);
    const { service, connectPacket, filters } = options;
    const { code } = service.connect(link, connectPacket); // there is no CONNACK to hold back
    if (code !== connackCodes.accepted || link.signal.aborted) return undefined;
    link.#open = true;
    service.opened(link);
    for (const filter of filters) service.subscribe(link, filter, 1);
    service.subscribed(link);
    return link;
  }

  get closeReason(): string {
    return this.#closeReason;
  }

  /** Hands on what the device has published. */
  take(packet: PublishPacket): void {
    // Nor is there a PUBACK: the broker has sent it.
    if (!this.silent) void this.#options.service.publish(this, packet);
  }

  send(topic: string, payload: string | Uint8Array = ""): void {
    void this.#publish(topic, payload, 0).catch(() => {}); // with QoS 0 nobody learns of it
  }

  /** Resolves when the broker has acknowledged, which says nothing about the device. */
  async sendAcknowledged(topic: string, payload: Uint8Array): Promise<void> {
    if (this.silent) await untilAborted(new Promise<never>(() => {}), this.signal);
    await untilAborted(this.#publish(topic, payload, 1), this.signal);
  }

  breach(rule: Rule, detail?: string): void {
    if (this.signal.aborted) return;
    const { service, log, onBreach } = this.#options;
    const { clientId } = this.connectPacket;
    const what = `${rule}: ${rules[rule]}${detail === undefined ? "" : ` (${detail})`}`;
    const [deed, means] = endings.has(rule) ? ["cut off", ""] : ["cannot close the connection of", " behind a broker"];
    log.warn(() => `${deed} ${clientId}${means}: ${what}`, { clientId, rule });
    onBreach(rule, service.name, clientId);
    if (endings.has(rule)) this.close(what);
  }

  /** Bytes are the broker's: the whole message is lost. */
  cutNext(): void {
    this.#cutsNext = true;
  }

  drop(reason = "the emulator cut the connection"): void {
    this.close(reason);
  }

  /** Takes leave of the service. Idempotent. */
  close(reason?: string): void {
    if (this.signal.aborted) return;
    if (reason !== undefined) this.#closeReason = reason;
    this.#ended.abort(new Error(this.#closeReason));
    if (this.#open) this.#options.service.closed(this, undefined);
  }

  async #publish(topic: string, payload: string | Uint8Array, qos: 0 | 1): Promise<void> {
    if (this.silent || this.signal.aborted) return;
    if (this.#cutsNext) this.drop();
    else if (Buffer.byteLength(topic) > maxTopicBytes)
      this.breach("message-too-large", "a topic of more than 65 535 bytes");
    else await this.#options.publish(topic, Buffer.from(payload), qos);
  }
}
