import { isJsonObject, type JsonObject } from "../../json.ts";
import type { Twin } from "./twin.ts";

/** How the hub answers a twin request of a device. */
export interface TwinAnswer {
  readonly status: number;
  /** Version of the reported properties after the request; goes into the topic of a 204. */
  readonly version: number;
  readonly body: string;
}

/** The answer to a GET: the whole twin as devices see it. */
export function answerTwinGet(twin: Twin): TwinAnswer {
  return { status: 200, version: twin.versionOf("reported"), body: JSON.stringify(twin.deviceView()) };
}

/**
 * Applies a patch of reported properties and answers it. Error bodies carry `errorCode`, since some clients look at nothing
 * else.
 * @param baseVersion the version that the patch is meant for, when the device named one
 */
export function answerReported(twin: Twin, patch: JsonObject | undefined, baseVersion: number | undefined): TwinAnswer {
  const version = twin.versionOf("reported");
  const refusal = (errorCode: number, message: string): TwinAnswer => ({
    status: Math.floor(errorCode / 1000),
    version,
    body: JSON.stringify({ errorCode, message }),
  });
  if (patch === undefined) return refusal(400006, "The body is not a JSON object.");
  if (baseVersion !== undefined && baseVersion !== version) return refusal(412001, `The version is ${version}.`);
  const outcome = twin.patch("reported", patch);
  return outcome.ok ? { status: 204, version: outcome.version, body: "" } : refusal(400004, outcome.fault);
}

/** The JSON object in a payload, or `undefined` when it is something else. */
export function parsePatch(payload: Buffer): JsonObject | undefined {
  try {
    const parsed: unknown = JSON.parse(payload.toString("utf8"));
    return isJsonObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
