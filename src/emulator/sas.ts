import { createHmac, timingSafeEqual } from "node:crypto";

/** The parts of a shared access signature token, as received. */
export interface SasToken {
  /** The resource exactly as it stands in the token: the signature covers this text, whatever its percent-encoding. */
  readonly resourceText: string;
  /** The resource decoded: `0ne…/registrations/{id}` for DPS, `{hub}/devices/{id}` for a hub. */
  readonly resource: string;
  /** Base64 of the signature, decoded from its percent-encoding. */
  readonly signature: string;
  /** Expiry as it stands in the token: seconds since the Unix epoch. */
  readonly expiryText: string;
  readonly expiresAtMs: number;
  /** `skn`, when there is one. Device tokens for a hub and those of some clients for DPS have none. */
  readonly keyName?: string;
}

const prefix = "SharedAccessSignature ";

/** Takes a token apart; the fields may come in any order. `undefined` when it is none. */
export function parseSasToken(text: string): SasToken | undefined {
  if (!text.startsWith(prefix)) return undefined;
  const fields = new Map<string, string>();
  for (const pair of text.slice(prefix.length).split("&")) {
    const equals = pair.indexOf("=");
    if (equals < 0) return undefined;
    fields.set(pair.slice(0, equals).trim(), pair.slice(equals + 1));
  }
  const [resourceText, expiryText] = [fields.get("sr"), fields.get("se")];
  const [resource, signature, keyName] = [resourceText, fields.get("sig"), fields.get("skn")].map(percentDecode);
  if (resourceText === undefined || resource === undefined || signature === undefined) return undefined;
  if (expiryText === undefined || !/^\d{1,15}$/.test(expiryText)) return undefined;
  const expiresAtMs = Number(expiryText) * 1000;
  return { resourceText, resource, signature, expiryText, expiresAtMs, ...(keyName ? { keyName } : {}) };
}

/** Why a token does not open a door. */
export type SasFault = "malformed" | "wrong-resource" | "expired" | "wrong-signature" | "wrong-key-name";

/** What a token is held against. */
export interface SasExpectation {
  /** The resources it may be for, decoded; compared without regard to case. */
  readonly resources: readonly string[];
  /** The keys that may have signed it, base64. */
  readonly keys: readonly string[];
  readonly nowMs: number;
  /** What `skn` may say when it is there; by default it has to be absent. */
  readonly keyName?: string;
}

/** Judges a token: scope, expiry, then signature over the resource text as received, a line feed, and the expiry text. */
export function judgeSasToken(
  token: SasToken | undefined,
  { resources, keys, nowMs, keyName }: SasExpectation,
): SasFault | undefined {
  if (token === undefined) return "malformed";
  const resource = token.resource.toLowerCase();
  if (!resources.some((each) => each.toLowerCase() === resource)) return "wrong-resource";
  if (token.keyName !== undefined && token.keyName !== keyName) return "wrong-key-name";
  if (token.expiresAtMs <= nowMs) return "expired";
  return keys.some((key) => isSignedWith(token, key)) ? undefined : "wrong-signature";
}

/** Whether `key` (base64) made the signature of `token`. */
export function isSignedWith(token: SasToken, key: string): boolean {
  const expected = createHmac("sha256", Buffer.from(key, "base64"))
    .update(`${token.resourceText}\n${token.expiryText}`)
    .digest();
  const found = Buffer.from(token.signature, "base64");
  return found.length === expected.length && timingSafeEqual(found, expected);
}

function percentDecode(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** A device's token for `resource`, signed with `key` (base64). */
export function signSasToken(resource: string, key: string, expiresAtMs: number): string {
  const signed = `${encodeURIComponent(resource)}\n${Math.ceil(expiresAtMs / 1000)}`;
  const signature = createHmac("sha256", Buffer.from(key, "base64")).update(signed).digest("base64");
  const [resourceText, expiryText] = signed.split("\n");
  return `${prefix}sr=${resourceText}&sig=${encodeURIComponent(signature)}&se=${expiryText}`;
}
