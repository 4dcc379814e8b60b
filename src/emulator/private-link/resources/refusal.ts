import type { JsonObject } from "../../../json.ts";
import type { HostRole, ResourceKind } from "./service-names.ts";

/** How a service turns a client away that came by a path it does not allow. */
export interface Refusal {
  readonly kind: "unauthorized" | "forbidden";
  /** Why, for tests and logs. The client is never told. */
  readonly because: "public-access-disabled" | "ip-filter";
  /** What HTTP clients get. A tracking id and a time are for the service to add where it does so. */
  readonly http: { readonly status: 401 | 403; readonly body: JsonObject };
  /** What MQTT clients get: "not authorized". */
  readonly connack: 5;
  /** What AMQP clients get. */
  readonly amqpCondition: "amqp:unauthorized-access";
}

/**
 * The body of each service. Only the one of Digital Twins is documented. A DPS and a hub answer as they do to a bad credential,
 * so that the two cannot be told apart; the body of Device Update is an assumption in the manner of its other errors.
 */
const bodies: Readonly<Record<ResourceKind | "events", { status: 401 | 403; body: JsonObject }>> = {
  dps: { status: 401, body: { errorCode: 401002, message: "Unauthorized" } },
  hub: { status: 401, body: { Message: "ErrorCode:IotHubUnauthorizedAccess;Unauthorized" } },
  events: { status: 401, body: { Code: "401", Detail: "Unauthorized" } },
  "device-update": {
    status: 403,
    body: { error: { code: "Forbidden", message: "Public network access is disabled." } },
  },
  "digital-twins": {
    status: 403,
    body: { statusCode: 403, message: "Public network access disabled by policy." },
  },
};

/** The refusal of one name of a resource. */
export function refusalOf(kind: ResourceKind, role: HostRole, because: Refusal["because"]): Refusal {
  const http = bodies[role === "events" ? "events" : kind];
  return {
    kind: http.status === 403 ? "forbidden" : "unauthorized",
    because,
    http,
    connack: 5,
    amqpCondition: "amqp:unauthorized-access",
  };
}
