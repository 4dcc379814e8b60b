import { isJsonObject } from "../../json.ts";
import { parseRetryAfter } from "../retry-after.ts";
import type { DpsResponse } from "../transport.ts";

/**
 * The answer behind a result of the library, which hands over the parsed body and, over MQTT, no status: the body says
 * whether it was an acceptance. A status of 429 or more over MQTT comes as a result of its own making: `registering`, or
 * an `assigning` that cannot be told from a true one.
 */
export function responseFromResult(result: unknown, response: unknown, delayMs: number | undefined): DpsResponse {
  const body = isJsonObject(result) ? result : {};
  const retryAfter = retryAfterOf(delayMs === undefined ? undefined : String(delayMs / 1000));
  if (body.status === "registering") return { status: 429, ...retryAfter, body: "" };
  const { statusCode = body.status === "assigning" ? 202 : 200 } = (response ?? {}) as { statusCode?: number };
  return { status: statusCode, ...retryAfter, body: JSON.stringify(body) };
}

/** The answer behind an error of the library; `undefined` when there was none. */
export function responseFromError(error: Error): DpsResponse | undefined {
  const { response, responseBody, transportObject, result } = error as SdkServiceError;
  if (response?.statusCode !== undefined) {
    const retryAfter = retryAfterOf(response.headers?.["retry-after"]);
    return { status: response.statusCode, ...retryAfter, body: responseBody ?? "" };
  }
  const [, status, query] = /^\$dps\/registrations\/res\/(\d{3})\/\?(.*)$/.exec(transportObject?.topic ?? "") ?? [];
  if (status === undefined) return undefined;
  const retryAfter = retryAfterOf(new URLSearchParams(query).get("retry-after") ?? undefined);
  return { status: Number(status), ...retryAfter, body: JSON.stringify(result) };
}

/** What the library hangs onto an error that the service answered with, over HTTP and over MQTT. */
interface SdkServiceError extends Error {
  readonly response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> };
  readonly responseBody?: string;
  readonly transportObject?: { readonly topic?: string };
  readonly result?: unknown;
}

function retryAfterOf(seconds: string | undefined): { readonly retryAfterMs?: number } {
  // 0 is what the channel gave the library as its default: the service has asked for nothing.
  const retryAfterMs = seconds === "0" ? undefined : parseRetryAfter(seconds);
  return retryAfterMs === undefined ? {} : { retryAfterMs };
}
