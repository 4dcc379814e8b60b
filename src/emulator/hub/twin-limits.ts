import { isJsonObject, type JsonObject, type JsonValue } from "../../json.ts";

/** Largest size of each part of a twin, in bytes of JSON. */
export const maxTwinBytes = { desired: 32_768, reported: 32_768, tags: 8_192 } as const;

/** A part of a twin. */
export type TwinPart = keyof typeof maxTwinBytes;

const maxDepth = 10;
const maxStringBytes = 4096;
const maxKeyBytes = 1024;
const maxInteger = 2 ** 52;

/**
 * Holds a patch against the limits of IoT Hub: depth, key form and length, string length, range of integers.
 * Returns what is wrong in words, or `undefined`. The size limit is for the merged part, see {@link sizeFault}.
 */
export function patchFault(patch: JsonObject): string | undefined {
  return objectFault(patch, 1);
}

/** Holds a merged part of a twin against its size limit. */
export function sizeFault(part: TwinPart, content: JsonObject): string | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(content));
  const most = maxTwinBytes[part];
  return bytes > most ? `${part} would have ${bytes} bytes, at most ${most} are allowed` : undefined;
}

function objectFault(object: JsonObject, depth: number): string | undefined {
  if (depth > maxDepth) return `deeper than ${maxDepth} levels`;
  for (const [key, value] of Object.entries(object)) {
    const fault = keyFault(key) ?? valueFault(value, depth);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function keyFault(key: string): string | undefined {
  if (Buffer.byteLength(key) > maxKeyBytes) return `a key of more than ${maxKeyBytes} bytes`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return /[\u0000-\u001f\u007f-\u009f.$ ]/.test(key)
    ? `the key ${JSON.stringify(key)} has a character that is not allowed`
    : undefined;
}

function valueFault(value: JsonValue, depth: number): string | undefined {
  if (typeof value === "string") {
    return Buffer.byteLength(value) > maxStringBytes ? `a text of more than ${maxStringBytes} bytes` : undefined;
  }
  if (typeof value === "number" && Number.isInteger(value) && Math.abs(value) > maxInteger) {
    return "an integer beyond 2 to the power of 52";
  }
  if (isJsonObject(value)) return objectFault(value, depth + 1);
  if (Array.isArray(value)) {
    if (depth + 1 > maxDepth) return `deeper than ${maxDepth} levels`;
    for (const item of value as readonly JsonValue[]) {
      const fault = valueFault(item, depth + 1);
      if (fault !== undefined) return fault;
    }
  }
  return undefined;
}
