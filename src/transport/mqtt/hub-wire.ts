import type { CloudMessage, TelemetryMessage } from "../messages.ts";
import { decodePropertyBag, encodePropertyBag, type Property } from "./property-bag.ts";

const apiVersion = "2021-04-12";

/** The resource that a device token for a hub is signed for. */
export function hubResource(host: string, deviceId: string): string {
  return `${host}/devices/${deviceId}`;
}

/** The MQTT user name; the client id is the device id alone. */
export function hubUsername(
  host: string,
  deviceId: string,
  clientType: string,
  modelId: string | undefined = undefined,
): string {
  const model = modelId === undefined ? "" : `&model-id=${encodeURIComponent(modelId)}`;
  const type = encodeURIComponent(clientType);
  return `${host}/${deviceId}/?api-version=${apiVersion}&DeviceClientType=${type}${model}`;
}

/* ------------------------------------------------------- subscriptions -------------------------------------------- */

/** Cloud-to-device messages. */
export function messageFilter(deviceId: string): string {
  return `devices/${deviceId}/messages/devicebound/#`;
}

/** Direct method calls. */
export const methodFilter = "$iothub/methods/POST/#";
/** Answers to twin requests. */
export const twinResponseFilter = "$iothub/twin/res/#";
/** Changes of desired properties. */
export const desiredFilter = "$iothub/twin/PATCH/properties/desired/#";

/* ----------------------------------------------------- topics we publish on --------------------------------------- */

/** Telemetry: the properties of a message are the last level of its topic. */
export function telemetryTopic(deviceId: string, message: TelemetryMessage): string {
  return `devices/${deviceId}/messages/events/${encodePropertyBag(telemetryProperties(message))}`;
}

/** Names that begin with `$.` are the hub's own. */
function telemetryProperties(message: TelemetryMessage): Property[] {
  const system: [string, string | undefined][] = [
    ["$.mid", message.messageId],
    ["$.cid", message.correlationId],
    ["$.uid", message.userId],
    ["$.ct", message.contentType],
    ["$.ce", message.contentEncoding],
    ["$.sub", message.component],
  ];
  const given = system.filter((property): property is [string, string] => property[1] !== undefined);
  return [...given, ...Object.entries(message.properties ?? {})];
}

/** The answer to a direct method call. */
export function methodResponseTopic(status: number, requestId: string): string {
  return `$iothub/methods/res/${status}/?$rid=${requestId}`;
}

/** Asks for the whole twin. */
export function twinGetTopic(requestId: string): string {
  return `$iothub/twin/GET/?$rid=${requestId}`;
}

/** Changes reported properties. */
export function reportedPatchTopic(requestId: string): string {
  return `$iothub/twin/PATCH/properties/reported/?$rid=${requestId}`;
}

/* ----------------------------------------------------- topics the hub publishes on -------------------------------- */

/** What the topic of a packet from the hub says it is. */
export type HubTopic =
  | { readonly kind: "message"; readonly bag: string }
  | { readonly kind: "method"; readonly name: string; readonly requestId: string }
  | {
      readonly kind: "twinResponse";
      readonly status: number;
      readonly requestId: string;
      /** After a change of reported properties: their new version. */
      readonly version?: number;
    }
  | { readonly kind: "desired"; readonly version?: number };

/** Reads a topic; `undefined` when it is none that a hub publishes on. */
export function parseHubTopic(topic: string): HubTopic | undefined {
  const bag = /^devices\/[^/]+\/messages\/devicebound\/(.*)$/s.exec(topic)?.[1];
  if (bag !== undefined) return { kind: "message", bag };

  const [, path, query = ""] = /^\$iothub\/(.+?)\/?(?:\?(.*))?$/s.exec(topic) ?? [];
  if (path === undefined) return undefined;
  const fields = new Map(decodePropertyBag(query));
  const requestId = fields.get("$rid");
  const version = parseVersion(fields.get("$version"));

  const name = /^methods\/POST\/(.+)$/s.exec(path)?.[1];
  if (name !== undefined && requestId !== undefined) return { kind: "method", name, requestId };
  const status = /^twin\/res\/(\d{3})$/.exec(path)?.[1];
  if (status !== undefined && requestId !== undefined) {
    return { kind: "twinResponse", status: Number(status), requestId, ...version };
  }
  return path === "twin/PATCH/properties/desired" ? { kind: "desired", ...version } : undefined;
}

function parseVersion(text: string | undefined): { readonly version?: number } {
  return text !== undefined && /^\d{1,15}$/.test(text) ? { version: Number(text) } : {};
}

/* ----------------------------------------------------- cloud-to-device messages ----------------------------------- */

type SystemName = Exclude<keyof CloudMessage, "payload" | "properties">;

const systemNames: Readonly<Record<string, SystemName>> = {
  "$.mid": "messageId",
  "$.cid": "correlationId",
  "$.uid": "userId",
  "$.ct": "contentType",
  "$.ce": "contentEncoding",
  "$.exp": "expiresAt",
  "iothub-ack": "ack",
};

/** A message from its bag and body. The address (`$.to`) is this device and left out. */
export function cloudMessageOf(bag: string, payload: Uint8Array): CloudMessage {
  const system: { -readonly [name in SystemName]?: string } = {};
  const properties: Property[] = [];
  for (const [name, value] of decodePropertyBag(bag)) {
    const known = Object.hasOwn(systemNames, name) ? systemNames[name] : undefined;
    if (known) system[known] = value;
    else if (name !== "$.to") properties.push([name, value]);
  }
  return { payload, properties: Object.fromEntries(properties), ...system };
}
