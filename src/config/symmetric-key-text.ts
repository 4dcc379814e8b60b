import { Secret } from "../secret.ts";
import type { Parsed } from "./file-reference.ts";

/** What a symmetric key is; fits after "expected". The length is the one that DPS allows for custom keys. */
export const symmetricKeyExpects = "the base64 text of a key of 16 to 64 bytes";

const leastBytes = 16;
const mostBytes = 64;

/**
 * Reads the base64 text of a symmetric key; padding may be missing, white space around it does not count.
 * The result has its padding. A problem tells the length, never the text.
 */
export function parseSymmetricKey(text: string): Parsed<Secret> {
  const trimmed = text.trim();
  const problem = (found: string) => ({ problem: { expected: symmetricKeyExpects, found } });
  if (!isBase64(trimmed)) return problem(`a text of ${text.length} characters that is not base64`);
  const key = Buffer.from(trimmed, "base64");
  if (key.length < leastBytes || key.length > mostBytes) return problem(`base64 text of ${key.length} bytes`);
  return { value: new Secret(key.toString("base64")) };
}

/**
 * The base64 text in a key file. aziot keeps the bytes of a key in such a file, DPS shows base64, so both are read:
 * content with bytes that no text has is the key itself.
 */
export function symmetricKeyTextOf(content: Buffer): string {
  const isText = content.every((byte) => (byte >= 0x20 && byte < 0x7f) || [0x09, 0x0a, 0x0d].includes(byte));
  return isText ? content.toString("latin1") : content.toString("base64");
}

function isBase64(text: string): boolean {
  const digits = text.replace(/={0,2}$/, "");
  return /^[A-Za-z0-9+/]+$/.test(digits) && digits.length % 4 !== 1 && (digits === text || text.length % 4 === 0);
}
