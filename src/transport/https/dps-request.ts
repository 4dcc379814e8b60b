import type { Clock } from "../../clock.ts";
import type { SasToken } from "../../keys/credential.ts";
import { version } from "../../version.ts";
import type { CallOptions, DpsIdentity } from "../transport.ts";
import type { HttpsOptions, HttpsRequest } from "./https-exchange.ts";

/** How requests to DPS over HTTPS are made. */
export interface HttpsDpsOptions extends HttpsOptions {
  /** Life of a token in milliseconds. Default one hour. */
  readonly tokenLifetimeMs?: number;
  /** Program and version that the service is told. Default: `landfall/` and this package's version. */
  readonly clientName?: string;
}

/** The version of the interface that the stable libraries of DPS for HTTPS send. */
const apiVersion = "2021-06-01";

/** What stands behind the registration in the path of a request. */
export type DpsResource = "" | "/register" | `/operations/${string}`;

/**
 * One request to DPS about a registration.
 * @param token absent where a certificate is shown in the handshake, and for the first request of a TPM
 * @param body absent: none
 */
export function dpsRequest(
  method: HttpsRequest["method"],
  { idScope, registrationId }: DpsIdentity,
  resource: DpsResource,
  {
    token,
    body,
    clientName = `landfall/${version}`,
  }: { readonly token: SasToken | undefined; readonly body?: unknown; readonly clientName?: string | undefined },
): HttpsRequest {
  const registration = `/${encodeURIComponent(idScope)}/registrations/${encodeURIComponent(registrationId)}`;
  return {
    method,
    path: `${registration}${resource}?api-version=${apiVersion}`,
    headers: {
      accept: "application/json",
      "content-type": "application/json",
      "user-agent": clientName,
      ...(token === undefined ? {} : { authorization: token.text.reveal() }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
}

/** A token for requests about a registration; `undefined` for a device without one. Rejects with `key.*` or `tpm.*`. */
export async function dpsToken(
  { idScope, registrationId, credential }: DpsIdentity,
  { clock, tokenLifetimeMs = 3_600_000 }: { readonly clock: Clock; readonly tokenLifetimeMs?: number | undefined },
  options: CallOptions,
): Promise<SasToken | undefined> {
  if (credential?.kind !== "sas") return undefined;
  const resource = `${idScope}/registrations/${registrationId}`;
  return credential.token({ resource, keyName: "registration", expiresAtMs: clock.now() + tokenLifetimeMs }, options);
}
