import type { DpsResponse } from "../transport.ts";
import type { HttpsResponse } from "./https-exchange.ts";

/** An answer of DPS over HTTPS. */
export interface HttpsDpsResponse extends DpsResponse {
  /** The header `x-ms-error-code`. */
  readonly errorCode?: string;
  /** The service's clock, milliseconds since the epoch, to the second. */
  readonly dateMs?: number;
}

/** What an answer tells in its headers, beside status and body. */
export function dpsAnswer({ status, headers, body }: HttpsResponse): HttpsDpsResponse {
  const retryAfterMs = secondsIn(headers["retry-after"]);
  const errorCode = headers["x-ms-error-code"];
  const dateMs = Date.parse(headers.date ?? "");
  return {
    status,
    body,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(typeof errorCode === "string" && /^[\w.-]{1,64}$/.test(errorCode) ? { errorCode } : {}),
    ...(Number.isNaN(dateMs) ? {} : { dateMs }),
  };
}

/** A delay in whole seconds, between one second and an hour, as milliseconds. */
function secondsIn(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,9}$/.test(text)) return undefined;
  return Math.min(Math.max(Number(text), 1), 3600) * 1000;
}
