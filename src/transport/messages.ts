import type { JsonObject, JsonValue } from "../json.ts";

/** A device-to-cloud message as the wire carries it. */
export interface TelemetryMessage {
  /** The body, at most 262 144 bytes together with the properties. */
  readonly payload: Uint8Array;
  /** Application properties. */
  readonly properties?: Readonly<Record<string, string>>;
  readonly messageId?: string;
  readonly correlationId?: string;
  readonly userId?: string;
  /** MIME type, such as `application/json`; message routing can read the body only when it and the encoding are set. */
  readonly contentType?: string;
  /** Character set, such as `utf-8`. */
  readonly contentEncoding?: string;
  /** Plug and Play component that the message comes from. */
  readonly component?: string;
}

/** A cloud-to-device message. */
export interface CloudMessage {
  readonly payload: Uint8Array;
  readonly properties: Readonly<Record<string, string>>;
  readonly messageId?: string;
  readonly correlationId?: string;
  readonly userId?: string;
  readonly contentType?: string;
  readonly contentEncoding?: string;
  /** When the service drops it, ISO 8601. */
  readonly expiresAt?: string;
  /** `full`, `positive` or `negative`: the feedback that the sender asked for. */
  readonly ack?: string;
}

/** A direct method call. */
export interface MethodRequest {
  /** The service's id of this call; goes back with the answer. */
  readonly requestId: string;
  readonly name: string;
  /** Parsed JSON, or `null` when the body is empty. */
  readonly payload: JsonValue;
}

/** The answer to a direct method call. */
export interface MethodResponse {
  /** An HTTP-like status; 200 for success. */
  readonly status: number;
  /** At most 131 072 bytes as JSON. Absent: an empty body. */
  readonly payload?: JsonValue;
}

/** A device twin, as a device sees it. Both parts carry `$version`. */
export interface TwinDocument {
  readonly desired: JsonObject;
  readonly reported: JsonObject;
}

/** A change of desired properties, pushed by the service. */
export interface DesiredPatch {
  /** The twin's desired version after this patch. */
  readonly version: number;
  /** A JSON merge patch, without `$version`; `null` deletes. */
  readonly patch: JsonObject;
}
