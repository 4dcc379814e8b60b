import type { EventLog } from "../event-log.ts";
import type { HttpExchange, HttpReply } from "../https/http-exchange.ts";
import type { Registrations } from "./registrations.ts";

/** What {@link DpsHttps} works with. */
export interface DpsHttpsParts {
  readonly registrations: Registrations;
  readonly events: EventLog;
}

const registrationPath = /^\/([^/]+)\/registrations\/([^/]+)$/;

/** DPS over HTTPS: `POST /{idScope}/registrations/{registrationId}` looks a registration up. Other requests are not known here. */
export class DpsHttps {
  readonly #parts: DpsHttpsParts;

  constructor(parts: DpsHttpsParts) {
    this.#parts = parts;
  }

  /** Answers one request; undefined for one that it does not know. */
  answer({ method, path, authorization, peer }: HttpExchange): HttpReply | undefined {
    const ids = registrationIdsIn(path);
    if (method !== "POST" || ids === undefined) return undefined;
    const { registrations, events } = this.#parts;
    const { certificates, remoteAddress } = peer;
    const answer = registrations.lookUp({ ...ids, sasToken: authorization, certificates });
    const credential = authorization !== undefined ? "sas" : certificates.length > 0 ? "certificate" : "none";
    events.add("dps.look-up", { registrationId: ids.registrationId, status: answer.status, credential, remoteAddress });
    return { status: answer.status, body: answer.body, ...errorCodeIn(answer.body) };
  }
}

/** Id scope and registration id of a path; undefined when it is another one. */
export function registrationIdsIn(
  path: string,
): { readonly idScope: string; readonly registrationId: string } | undefined {
  const [, idScope = "", registrationId = ""] = registrationPath.exec(path) ?? [];
  try {
    const ids = { idScope: decodeURIComponent(idScope), registrationId: decodeURIComponent(registrationId) };
    return registrationId === "" ? undefined : ids;
  } catch {
    return undefined;
  }
}

/** The newest interface repeats an error's code in a header. */
function errorCodeIn(body: string): Pick<HttpReply, "headers"> {
  const { errorCode } = JSON.parse(body) as { readonly errorCode?: number };
  return errorCode === undefined ? {} : { headers: { "x-ms-error-code": String(errorCode) } };
}
