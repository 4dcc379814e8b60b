import { parseRetryAfter } from "../retry-after.ts";
import type { DpsRequest } from "../transport.ts";
import { decodePropertyBag } from "./property-bag.ts";

/**
 * The version that the guide of DPS gives for MQTT, and that Microsoft's own device libraries send. Newer ones exist for
 * HTTPS; nothing they add is asked for here.
 */
const apiVersion = "2019-03-31";

/** Where DPS publishes its answers. */
export const dpsResponseFilter = "$dps/registrations/res/#";

/** The resource that a token for DPS is signed for. */
export function dpsResource(idScope: string, registrationId: string): string {
  return `${idScope}/registrations/${registrationId}`;
}

/** The MQTT user name; the client id is the registration id alone. */
export function dpsUsername(idScope: string, registrationId: string, clientVersion: string): string {
  const version = encodeURIComponent(clientVersion);
  return `${dpsResource(idScope, registrationId)}/api-version=${apiVersion}&ClientVersion=${version}`;
}

/** The topic of a request; `requestId` comes back in the answer. */
export function dpsRequestTopic(request: DpsRequest, requestId: string): string {
  if (request.kind === "register") return `$dps/registrations/PUT/iotdps-register/?$rid=${requestId}`;
  const operationId = encodeURIComponent(request.operationId);
  return `$dps/registrations/GET/iotdps-get-operationstatus/?$rid=${requestId}&operationId=${operationId}`;
}

/** What the topic of an answer says. */
export interface DpsResponseTopic {
  readonly status: number;
  readonly requestId: string;
  /** Absent when the service did not say, or said no whole number of seconds. */
  readonly retryAfterMs?: number;
}

/** Reads the topic of an answer; `undefined` when it is none. */
export function parseDpsResponseTopic(topic: string): DpsResponseTopic | undefined {
  const [, status, query] = /^\$dps\/registrations\/res\/(\d{3})\/\?(.*)$/.exec(topic) ?? [];
  if (status === undefined || query === undefined) return undefined;
  const fields = new Map(decodePropertyBag(query));
  const requestId = fields.get("$rid");
  if (requestId === undefined) return undefined;
  const retryAfterMs = parseRetryAfter(fields.get("retry-after"));
  return { status: Number(status), requestId, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}
