/** Keys and values of a topic's property bag; a bare key has the value `null`. */
export type PropertyBag = ReadonlyMap<string, string | null>;

/**
 * Reads `key=value` pairs joined with `&`. Every pair is percent-decoded by itself, so `%24.mid` and `$.mid` are the same
 * key; text that is no valid percent-encoding stays as it is. A later pair replaces an earlier one of the same key.
 */
export function parsePropertyBag(text: string): PropertyBag {
  const bag = new Map<string, string | null>();
  for (const pair of text.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    if (equals < 0) bag.set(decode(pair), null);
    else bag.set(decode(pair.slice(0, equals)), decode(pair.slice(equals + 1)));
  }
  return bag;
}

/** Writes a bag as IoT Hub does: keys and values percent-encoded, the dollar sign of system keys too. */
export function formatPropertyBag(bag: Iterable<readonly [string, string | null]>): string {
  return [...bag]
    .map(([key, value]) =>
      value === null ? encodeURIComponent(key) : `${encodeURIComponent(key)}=${encodeURIComponent(value)}`,
    )
    .join("&");
}

/** The `?key=value&…` part of a topic, such as `$rid` and `operationId`; empty when there is none. */
export function parseTopicQuery(topic: string): PropertyBag {
  const question = topic.indexOf("?");
  return question < 0 ? new Map() : parsePropertyBag(topic.slice(question + 1));
}

/** The value of `$rid` in a topic, exactly as written: it goes back letter by letter. `undefined` when there is none. */
export function requestIdOf(topic: string): string | undefined {
  const pairs = topic.slice(topic.indexOf("?") + 1).split("&");
  const pair = pairs.find((each) => decode(each.split("=", 1)[0] ?? "") === "$rid");
  return pair === undefined || !pair.includes("=") ? undefined : pair.slice(pair.indexOf("=") + 1);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
