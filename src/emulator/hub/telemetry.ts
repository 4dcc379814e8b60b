import type { Clock } from "../../clock.ts";
import type { JsonValue } from "../../json.ts";
import { parsePropertyBag } from "../property-bag.ts";

/** A device-to-cloud message as the hub has stored it. */
export interface ReceivedTelemetry {
  readonly hub: string;
  readonly deviceId: string;
  readonly payload: Buffer;
  /** Application properties. */
  readonly properties: Readonly<Record<string, string>>;
  readonly messageId?: string;
  readonly correlationId?: string;
  readonly userId?: string;
  readonly to?: string;
  readonly expiresAt?: string;
  readonly contentType?: string;
  readonly contentEncoding?: string;
  /** Plug and Play component. */
  readonly component?: string;
  readonly interfaceId?: string;
  readonly outputName?: string;
  /** QoS it was published with: 0 or 1. */
  readonly qos: number;
  /** Whether the client marked it as sent before. */
  readonly duplicate: boolean;
  /** Counts from 1 in each hub. */
  readonly sequenceNumber: number;
  /** When the hub took it, by the emulator's clock, milliseconds since the epoch. */
  readonly enqueuedAtMs: number;
  /** The body as JSON. Throws a SyntaxError when it is none. */
  json(): JsonValue;
  /** The body as UTF-8 text. */
  text(): string;
}

/** Largest message, body and properties together, in bytes. */
export const maxTelemetryBytes = 262_144;

const systemProperties = {
  "$.mid": "messageId",
  "$.cid": "correlationId",
  "$.uid": "userId",
  "$.to": "to",
  "$.exp": "expiresAt",
  "$.ct": "contentType",
  "$.ce": "contentEncoding",
  "$.sub": "component",
  "$.ifid": "interfaceId",
  "$.on": "outputName",
} as const;

const isSystemKey = (key: string): key is keyof typeof systemProperties => Object.hasOwn(systemProperties, key);

/** A message on its way into a hub. */
export interface IncomingTelemetry {
  readonly deviceId: string;
  /** What follows `…/messages/events/` in the topic. */
  readonly bagText: string;
  readonly payload: Buffer;
  readonly qos: number;
  readonly retain: boolean;
  readonly duplicate: boolean;
  /** Properties that the hub itself adds. */
  readonly added?: Readonly<Record<string, string>>;
}

/** Turns publishes into stored messages and numbers them. */
export class TelemetryIntake {
  readonly #hub: string;
  readonly #clock: Clock;
  #taken = 0;

  constructor(hub: string, clock: Clock) {
    this.#hub = hub;
    this.#clock = clock;
  }

  /** Takes a message; or says how many bytes it has, when that is too many. */
  take({ deviceId, bagText, payload, added = {}, ...flags }: IncomingTelemetry): ReceivedTelemetry | { bytes: number } {
    const system: { [name in (typeof systemProperties)[keyof typeof systemProperties]]?: string } = {};
    const properties: Record<string, string> = {};
    // Module outputs end their topic in a slash, which belongs to no property.
    for (const [key, value] of parsePropertyBag(bagText.replace(/\/$/, ""))) {
      if (isSystemKey(key)) system[systemProperties[key]] = value ?? "";
      else properties[key] = value ?? "";
    }
    const bytes = countedBytes(payload, system, properties);
    if (bytes > maxTelemetryBytes) return { bytes };
    // The hub stores nothing for later subscribers; it hands the flag on as a property.
    if (flags.retain) properties["mqtt-retain"] = "true";
    this.#taken += 1;
    const body = Buffer.from(payload); // a copy: the packet's buffer may hold much more than this message
    return {
      hub: this.#hub,
      deviceId,
      payload: body,
      properties: { ...properties, ...added },
      ...system,
      qos: flags.qos,
      duplicate: flags.duplicate,
      sequenceNumber: this.#taken,
      enqueuedAtMs: this.#clock.now(),
      json: () => JSON.parse(body.toString("utf8")) as JsonValue,
      text: () => body.toString("utf8"),
    };
  }
}

/** IoT Hub counts the body, names and values of the application's properties, and values alone of its own. */
function countedBytes(
  payload: Buffer,
  system: Readonly<Record<string, string>>,
  properties: Readonly<Record<string, string>>,
): number {
  const texts = [...Object.values(system), ...Object.entries(properties).flat()];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), payload.length);
}
