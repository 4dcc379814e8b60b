import type { JsonValue } from "../json.ts";
import type { CborValue } from "./cbor.ts";

/**
 * What an MCU said, as JSON can say it: bytes become base64, integers beyond 2^53 lose their last digits, and what is not a
 * number (NaN, infinity) becomes null.
 */
export function jsonOf(value: CborValue): JsonValue {
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return (value as readonly CborValue[]).map(jsonOf);
  if (typeof value !== "object" || value === null) return value as JsonValue;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, jsonOf(each)]));
}
