import { request } from "node:http";
import type { Clock } from "../../clock.ts";
import { LandfallError } from "../../errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../json.ts";
import type { InitialTwin } from "../hub/twin.ts";

/** What a custom allocation is asked. */
export interface CustomAllocationRequest {
  readonly registrationId: string;
  /** Name of the group, when the enrollment is one. */
  readonly group?: string;
  /** What the device sent; `undefined` when it sent none. */
  readonly payload: JsonValue | undefined;
  /** Names of the hubs to choose from. */
  readonly hubs: readonly string[];
  /** Name of the hub that the device is at; absent when it is at none. */
  readonly currentHub?: string;
}

/** What a custom allocation decides. */
export interface CustomAllocation {
  /** Name or host name of one of the hubs that were given. */
  readonly hub: string;
  /** Takes the place of the enrollment's. */
  readonly initialTwin?: InitialTwin;
  /** Takes the place of the enrollment's. */
  readonly payload?: JsonObject;
}

/** Decides where a device goes. What it throws or rejects with makes the registration fail with 400207. */
export type AllocationFunction = (request: CustomAllocationRequest) => CustomAllocation | Promise<CustomAllocation>;

/** A hub under both of its names. */
export interface NamedHub {
  readonly name: string;
  readonly hostName: string;
}

/** What {@link allocateByCallback} works with beside the request. */
export interface CallbackParts {
  readonly hubs: readonly NamedHub[];
  readonly clock: Clock;
}

/** How long a callback may take. */
const callbackTimeoutMs = 5000;

const loopbackHosts = ["localhost", "127.0.0.1", "[::1]"];

/** Whether `text` is an `http:` URL of this machine: the emulator never calls out. */
export function isCallbackUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === "http:" && loopbackHosts.includes(url.hostname);
}

/** Throws `emulator.rejected` unless {@link isCallbackUrl}. */
export function assertCallbackUrl(text: string): void {
  if (isCallbackUrl(text)) return;
  throw new LandfallError("emulator.rejected", "Expected an http: URL of this machine as allocation callback.");
}

/**
 * Asks a callback URL by HTTP POST, in the JSON of the webhooks of the real service, so that a function that is written
 * for one serves the other. Rejects with `emulator.rejected`: no answer in 5 seconds, another status than 200, or a body
 * that names no host name of a hub as `iotHubHostName`.
 */
export async function allocateByCallback(
  url: string,
  asked: CustomAllocationRequest,
  { hubs, clock }: CallbackParts,
): Promise<CustomAllocation> {
  const over = new AbortController();
  const late = new AbortController();
  clock.sleep(callbackTimeoutMs, { signal: over.signal }).then(
    () => late.abort(failure(`no answer in ${callbackTimeoutMs} ms`)),
    () => {}, // answered in time
  );
  try {
    const { status, text } = await post(url, JSON.stringify(webhookRequest(asked, hubs)), late.signal);
    if (status !== 200) throw failure(`Custom allocation failed with status code: ${status}`);
    return readAnswer(text);
  } finally {
    over.abort();
  }
}

function post(
  url: string,
  body: string,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const sent = request(url, { method: "POST", headers, agent: false, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

function webhookRequest(
  { registrationId, group, payload, hubs: names, currentHub }: CustomAllocationRequest,
  hubs: readonly NamedHub[],
): JsonObject {
  const hostNameOf = (name: string | undefined): string | undefined => hubs.find((hub) => hub.name === name)?.hostName;
  const currentIotHubHostName = hostNameOf(currentHub);
  return {
    ...(group === undefined
      ? { individualEnrollment: { registrationId } }
      : { enrollmentGroup: { enrollmentGroupId: group } }),
    deviceRuntimeContext: {
      registrationId,
      ...(currentIotHubHostName === undefined ? {} : { currentIotHubHostName }),
      ...(payload === undefined ? {} : { payload }),
    },
    linkedHubs: names.map(hostNameOf).filter((hostName) => hostName !== undefined),
  };
}

function readAnswer(text: string): CustomAllocation {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (cause) {
    throw failure("the answer is not JSON", cause);
  }
  const { iotHubHostName, initialTwin, payload } = isJsonObject(answer) ? answer : {};
  if (typeof iotHubHostName !== "string") throw failure("expected a text as iotHubHostName, found none");
  return {
    hub: iotHubHostName,
    ...(isJsonObject(initialTwin) ? { initialTwin: twinOf(initialTwin) } : {}),
    ...(isJsonObject(payload) ? { payload } : {}),
  };
}

/** Webhooks write a twin as the service API does, with the desired properties below `properties`. */
function twinOf({ properties, tags }: JsonObject): InitialTwin {
  const desired = isJsonObject(properties) ? properties.desired : undefined;
  return { ...(isJsonObject(desired) ? { desired } : {}), ...(isJsonObject(tags) ? { tags } : {}) };
}

function failure(message: string, cause?: unknown): LandfallError {
  return new LandfallError("emulator.rejected", message, cause === undefined ? {} : { cause });
}
