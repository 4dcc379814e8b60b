/** One property of a bag, decoded. */
export type Property = readonly [name: string, value: string];

/** Writes properties as the last level of a topic: `name=value` pairs, percent-encoded, joined by `&`. */
export function encodePropertyBag(properties: Iterable<Property>): string {
  return Array.from(properties, ([name, value]) => `${encode(name)}=${encode(value)}`).join("&");
}

/**
 * Reads a bag. A name without `=` has no value, which is read as the empty text; broken percent-encoding is taken as it
 * stands. Never throws.
 */
export function decodePropertyBag(bag: string): Property[] {
  const pairs = bag.split("&").filter((pair) => pair !== "");
  return pairs.map((pair) => {
    const equals = pair.indexOf("=");
    return equals < 0 ? [decode(pair), ""] : [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))];
  });
}

/** Half a surrogate pair is no character and has no UTF-8 form; the platform throws on it. */
function encode(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\ufffd"));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
