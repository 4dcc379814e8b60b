import { parsePropertyBag } from "../property-bag.ts";

/** What a device says about itself in the user name of its CONNECT. */
export interface HubUsername {
  /** The hub's name as the device wrote it. */
  readonly host: string;
  readonly deviceId: string;
  readonly moduleId?: string;
  readonly apiVersion: string;
  /** Plug and Play model. */
  readonly modelId?: string;
  /** `DeviceClientType`: what kind of client it is. */
  readonly clientAgent?: string;
}

/**
 * Reads `{host}/{deviceId}[/{moduleId}]/?api-version=…&model-id=…&DeviceClientType=…`. Any well-formed api-version will do;
 * values may be percent-encoded or not. `undefined` when it is something else.
 */
export function parseHubUsername(username: string): HubUsername | undefined {
  const match = /^([^/?]+)\/([^/?]+)(?:\/([^/?]+))?\/\?(.*)$/s.exec(username);
  if (match === null) return undefined;
  const [, host = "", deviceId = "", moduleId, query = ""] = match;
  const bag = parsePropertyBag(query);
  const apiVersion = bag.get("api-version");
  if (!apiVersion || !/^\d{4}-\d{2}-\d{2}(-preview)?$/.test(apiVersion)) return undefined;
  const [modelId, clientAgent] = [bag.get("model-id"), bag.get("DeviceClientType")];
  return {
    host,
    deviceId: decode(deviceId),
    ...(moduleId === undefined ? {} : { moduleId: decode(moduleId) }),
    apiVersion,
    ...(modelId ? { modelId } : {}),
    ...(clientAgent ? { clientAgent } : {}),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
