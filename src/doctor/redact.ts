import type { JsonValue } from "../json.ts";
import { Secret } from "../secret.ts";

/** Enough of an id to tell devices apart in a conversation, and too little to be one: `sen…17`. */
export function shortened(id: string): string {
  return id.length < 8 ? `${id.slice(0, 1)}…` : `${id.slice(0, 3)}…${id.slice(-2)}`;
}

/** What must not be in a text that leaves the device. */
export interface Redactions {
  /** Ids of the device; they are shortened wherever they stand alone. */
  readonly ids: readonly string[];
  /** Replaced wherever they occur. */
  readonly secrets: readonly string[];
}

/** The value without ids and secrets, in every text and every key. */
export function redact(value: JsonValue, redactions: Redactions): JsonValue {
  const replace = replacer(redactions);
  const visit = (each: JsonValue): JsonValue => {
    if (typeof each === "string") return replace(each);
    if (Array.isArray(each)) return each.map(visit);
    if (typeof each !== "object" || each === null) return each;
    return Object.fromEntries(Object.entries(each).map(([key, member]) => [replace(key), visit(member)]));
  };
  return visit(value);
}

function replacer({ ids, secrets }: Redactions): (text: string) => string {
  const known = ids.filter((id) => id !== "");
  // An id inside a longer word is another word: device 7 is not what 10.0.0.7 or port 8877 is about.
  const patterns = known.map((id) => ({
    pattern: new RegExp(`(?<![A-Za-z0-9])${literally(id)}(?![A-Za-z0-9])`, "gi"),
    instead: shortened(id),
  }));
  return (text) => {
    const clean = secrets.reduce((left, secret) => left.replaceAll(secret, "[secret]"), text);
    return patterns.reduce((left, { pattern, instead }) => left.replace(pattern, instead), clean);
  };
}

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** Every secret text in some settings, longest first, so that one inside another leaves nothing behind. */
export function secretsIn(settings: unknown): string[] {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (value instanceof Secret) {
      const secret = value.reveal();
      if (typeof secret === "string" && secret.length > 3) for (const each of formsOf(secret)) found.add(each);
    } else if (typeof value === "object" && value !== null) {
      Object.values(value).forEach(visit);
    }
  };
  visit(settings);
  return [...found].sort((a, b) => b.length - a.length);
}

/** A secret as it is, and the password inside it where it is a URL. */
function formsOf(secret: string): string[] {
  if (!URL.canParse(secret)) return [secret];
  const { password } = new URL(secret);
  return password === "" ? [] : [secret, password, decodeURIComponent(password)];
}
