/** Delivery guarantee of MQTT: 0 at most once, 1 at least once, 2 exactly once. */
export type Qos = 0 | 1 | 2;

/** The answer to a CONNECT, as MQTT 3.1.1 numbers it. [MQTT-3.2.2] */
export const connackCodes = {
  accepted: 0,
  unacceptableProtocolVersion: 1,
  identifierRejected: 2,
  serverUnavailable: 3,
  badUserNameOrPassword: 4,
  notAuthorized: 5,
} as const;

/** One of {@link connackCodes}. */
export type ConnackCode = (typeof connackCodes)[keyof typeof connackCodes];

/** What a client wants the server to publish when the connection is lost. */
export interface Will {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: Qos;
  readonly retain: boolean;
}

/** The first packet of every connection. */
export interface ConnectPacket {
  readonly type: "connect";
  /** `MQTT` since 3.1.1, `MQIsdp` before. */
  readonly protocolName: string;
  /** 4 is 3.1.1; for any other level only the name and the level are decoded. */
  readonly protocolLevel: number;
  readonly cleanSession: boolean;
  /** 0 turns the keep-alive off. */
  readonly keepAliveSeconds: number;
  readonly clientId: string;
  readonly will?: Will;
  readonly username?: string;
  readonly password?: Buffer;
}

/** A message. */
export interface PublishPacket {
  readonly type: "publish";
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: Qos;
  readonly retain: boolean;
  /** Sent before, as far as the client knows. */
  readonly duplicate: boolean;
  /** 1 to 65535; absent with QoS 0. */
  readonly packetId?: number;
}

/** One topic filter of a SUBSCRIBE. */
export interface SubscriptionRequest {
  readonly filter: string;
  readonly qos: Qos;
}

/** Every packet that a client may send. */
export type ClientPacket =
  | ConnectPacket
  | PublishPacket
  | { readonly type: "puback" | "pubrec" | "pubrel" | "pubcomp"; readonly packetId: number }
  | { readonly type: "subscribe"; readonly packetId: number; readonly subscriptions: readonly SubscriptionRequest[] }
  | { readonly type: "unsubscribe"; readonly packetId: number; readonly filters: readonly string[] }
  | { readonly type: "pingreq" }
  | { readonly type: "disconnect" };
