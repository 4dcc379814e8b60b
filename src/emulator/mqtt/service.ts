import type { DeviceLink } from "./device-link.ts";
import type { ConnackCode, ConnectPacket, PublishPacket, Qos, Will } from "./packets.ts";

/** How a service answers a CONNECT. */
export interface ConnectAnswer {
  readonly code: ConnackCode;
  /** Whether the service has kept the session of an earlier connection. Default false. */
  readonly sessionPresent?: boolean;
  /** CONNACK waits until this has resolved; it never rejects. Default: it goes out at once. */
  readonly after?: Promise<void> | undefined;
}

/**
 * A service behind the front door: DPS or one hub. The link speaks MQTT; the service decides. A service ends a connection
 * with {@link DeviceLink.breach}, which is the only way these services report misuse.
 */
export interface MqttService {
  /** `dps`, or the name of the hub; for logs. */
  readonly name: string;
  /** Decides about a new client. Called once for each link, before anything else. */
  connect(link: DeviceLink, packet: ConnectPacket): ConnectAnswer;
  /** CONNACK 0 is on its way. */
  opened(link: DeviceLink): void;
  /** The QoS that is granted; nothing when the filter was a breach. */
  subscribe(link: DeviceLink, filter: string, qos: Qos): Qos | undefined;
  /** SUBACK is on its way. */
  subscribed(link: DeviceLink): void;
  unsubscribe(link: DeviceLink, filter: string): void;
  /**
   * A message with QoS 1 is acknowledged as soon as this returns, or as soon as the promise that it returns has resolved,
   * unless the link was closed. The promise never rejects.
   */
  publish(link: DeviceLink, packet: PublishPacket): Promise<void> | undefined;
  /**
   * The connection has ended, however it did; called once for each link that {@link opened} was called for.
   * @param will present when the client had one and did not take leave with DISCONNECT
   */
  closed(link: DeviceLink, will: Will | undefined): void;
}
