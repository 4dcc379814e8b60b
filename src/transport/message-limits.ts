import { LandfallError } from "../errors.ts";
import type { MethodResponse, TelemetryMessage } from "./messages.ts";

/** What a hub takes as one device-to-cloud message, properties included. */
export const maxTelemetryBytes = 262_144;

/** What a hub takes as the answer to a direct method. */
export const maxMethodResponseBytes = 131_072;

/** Throws `transport.message-too-large` for a message that the hub would not take. */
export function requireFits({ payload, properties = {}, ...rest }: TelemetryMessage): void {
  const texts = [...Object.entries(properties).flat(), ...Object.values(rest)];
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), payload.byteLength);
  if (bytes <= maxTelemetryBytes) return;
  const message = `a message has ${bytes} bytes with its properties; a hub takes ${maxTelemetryBytes}`;
  throw new LandfallError("transport.message-too-large", message);
}

/** An answer to a direct method as it goes out. */
export interface MethodAnswer {
  readonly status: number;
  /** JSON, or empty. */
  readonly body: string;
  /** Why this is not the answer that was given, when it is not. */
  readonly fault?: string;
}

/** The answer as text. One that has no JSON form or is too large becomes a 500 that says so: the caller is waiting. */
export function methodAnswer({ status, payload }: MethodResponse): MethodAnswer {
  const failed = (fault: string): MethodAnswer => ({ status: 500, body: JSON.stringify({ message: fault }), fault });
  let body: string;
  try {
    body = payload === undefined ? "" : JSON.stringify(payload);
  } catch {
    return failed("the method's answer has no JSON form");
  }
  const bytes = Buffer.byteLength(body);
  if (bytes <= maxMethodResponseBytes) return { status, body };
  return failed(`the method's answer has ${bytes} bytes; a hub takes ${maxMethodResponseBytes}`);
}
