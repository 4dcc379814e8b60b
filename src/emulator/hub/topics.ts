import { parseTopicQuery, requestIdOf } from "../property-bag.ts";

/** What a device publishes to its hub. */
export type DeviceTopic =
  | { readonly kind: "telemetry"; readonly bagText: string }
  | { readonly kind: "twin-get"; readonly requestId: string | undefined }
  | { readonly kind: "twin-reported"; readonly requestId: string | undefined; readonly baseVersion: number | undefined }
  | { readonly kind: "method-answer"; readonly requestId: string | undefined; readonly status: number };

/** What a device can hear of. */
export type Channel = "devicebound" | "methods" | "twin-answers" | "desired";

const fixedFilters: ReadonlyMap<string, Channel> = new Map([
  ["$iothub/methods/POST/#", "methods"],
  ["$iothub/twin/res/#", "twin-answers"],
  ["$iothub/twin/PATCH/properties/desired/#", "desired"],
]);

/** The channel behind a topic filter, or `undefined` when the hub has no such filter. Wildcards cannot be narrowed. */
export function channelOf(filter: string, deviceId: string): Channel | undefined {
  // Microsoft ships a sample that writes + for the device id, so the hub takes that too.
  const own = [deviceId, encodeURIComponent(deviceId), "+"].map((id) => `devices/${id}/messages/devicebound/#`);
  return own.includes(filter) ? "devicebound" : fixedFilters.get(filter);
}

/** Reads a topic that `deviceId` publishes to; `undefined` when the hub knows no such topic. */
export function parseDeviceTopic(topic: string, deviceId: string): DeviceTopic | undefined {
  for (const id of [deviceId, encodeURIComponent(deviceId)]) {
    const events = `devices/${id}/messages/events`;
    if (topic === events) return { kind: "telemetry", bagText: "" };
    if (topic.startsWith(`${events}/`)) return { kind: "telemetry", bagText: topic.slice(events.length + 1) };
  }
  const [path = ""] = topic.split("?", 1);
  const requestId = requestIdOf(topic) || undefined;
  if (path === "$iothub/twin/GET/") return { kind: "twin-get", requestId };
  if (path === "$iothub/twin/PATCH/properties/reported/") {
    const version = parseTopicQuery(topic).get("$version");
    return { kind: "twin-reported", requestId, baseVersion: version ? Number(version) : undefined };
  }
  const answer = /^\$iothub\/methods\/res\/(-?\d{1,9})\/$/.exec(path);
  return answer === null ? undefined : { kind: "method-answer", requestId, status: Number(answer[1]) };
}
