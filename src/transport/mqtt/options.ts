import type { Clock } from "../../clock.ts";
import type { Dialer } from "../../endpoint/dialer.ts";
import type { Logger } from "../../log.ts";
import type { CarrierName } from "./carrier.ts";

/** What the MQTT transports take. */
export interface MqttTransportOptions {
  readonly dialer: Dialer;
  readonly clock: Clock;
  /** Default: silent. */
  readonly log?: Logger;
  /**
   * `tcp`: port 8883, never through a proxy; the transport is named `mqtt`. `websocket`: port 443, through a proxy where one
   * is set; named `mqtt-ws`. Default `tcp`.
   */
  readonly carrier?: CarrierName;
  /** Program and version that the service is told. Default: `landfall/` and this package's version. */
  readonly clientName?: string;
  /** Default 240. IoT Hub accepts up to 1177. */
  readonly keepAliveSeconds?: number;
  /** Life of a token in milliseconds. Default one hour. */
  readonly tokenLifetimeMs?: number;
  /** Milliseconds until an unanswered request rejects with `transport.timeout`. Default 30 000. */
  readonly requestTimeoutMs?: number;
}
