import { parsePropertyBag } from "../property-bag.ts";

/** What a device says about itself in the user name of its CONNECT to DPS. */
export interface DpsUsername {
  readonly idScope: string;
  readonly registrationId: string;
  readonly apiVersion: string;
  /** `ClientVersion`, whatever its encoding; some clients leave it out. */
  readonly clientVersion?: string;
}

/**
 * Reads `{idScope}/registrations/{registrationId}/api-version=…&ClientVersion=…`. Any well-formed api-version will do.
 * `undefined` when it is something else.
 */
export function parseDpsUsername(username: string): DpsUsername | undefined {
  const match = /^([^/]+)\/registrations\/([^/]+)\/\??(.*)$/s.exec(username);
  if (match === null) return undefined;
  const [, idScope = "", registrationId = "", query = ""] = match;
  const bag = parsePropertyBag(query);
  const apiVersion = bag.get("api-version");
  if (!apiVersion || !/^\d{4}-\d{2}-\d{2}(-preview)?$/.test(apiVersion)) return undefined;
  const clientVersion = bag.get("ClientVersion");
  return { idScope, registrationId, apiVersion, ...(clientVersion ? { clientVersion } : {}) };
}
