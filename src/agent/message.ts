import type { JsonValue } from "../json.ts";
import type { TelemetryMessage } from "../transport/messages.ts";

/** What may go with a body. */
export interface MessageOptions {
  /** Application properties; message routing can see them. */
  readonly properties?: Readonly<Record<string, string>>;
  readonly messageId?: string;
  readonly correlationId?: string;
  readonly userId?: string;
  /** MIME type. Default for a body that goes as JSON: `application/json`; for bytes: none. */
  readonly contentType?: string;
  /** Character set. Default for a body that goes as JSON: `utf-8`; for bytes: none. */
  readonly contentEncoding?: string;
  /** Plug and Play component that the message comes from. */
  readonly component?: string;
}

/**
 * A message from a body: bytes go as they are, everything else as JSON text. Content type and encoding are set for
 * JSON, because message routing can look into a body only when it knows both.
 */
export function telemetryMessage(body: JsonValue | Uint8Array, options: MessageOptions = {}): TelemetryMessage {
  if (body instanceof Uint8Array) return { ...options, payload: body };
  return {
    contentType: "application/json",
    contentEncoding: "utf-8",
    ...options,
    payload: new TextEncoder().encode(JSON.stringify(body)),
  };
}
