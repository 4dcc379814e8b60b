import { createHmac } from "node:crypto";
import { LandfallError } from "../errors.ts";
import { bytesFrom, type Random } from "./randomness.ts";

/** A key as DPS makes one: 64 random bytes as base64 text. */
export function generateKey(random: Random): string {
  return bytesFrom(random, 64).toString("base64");
}

/**
 * The device key of one member of an enrollment group: HMAC-SHA256 of its registration id in lower case, keyed with the
 * group key; both keys as base64 text.
 */
export function deriveDeviceKey(groupKey: string, registrationId: string): string {
  return createHmac("sha256", Buffer.from(groupKey, "base64"))
    .update(registrationId.toLowerCase(), "utf8")
    .digest("base64");
}

/** Whether `text` is a key that DPS would take: base64 of 16 to 64 bytes. */
export function isKey(text: string): boolean {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) return false;
  const { length } = Buffer.from(text, "base64");
  return length >= 16 && length <= 64;
}

/** Throws `emulator.rejected` unless `text` is a key; `what` says whose. */
export function assertKey(text: string, what: string): string {
  if (isKey(text)) return text;
  throw new LandfallError("emulator.rejected", `${what}: expected base64 of 16 to 64 bytes, found something else.`);
}
