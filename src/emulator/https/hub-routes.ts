import { isJsonObject, type JsonObject } from "../../json.ts";
import { clockSkewOf, deliveryOf } from "../faults/delivery.ts";
import type { ScriptedAnswer } from "../faults/fault.ts";
import { malformed, scriptedBody } from "../faults/scripted-answer.ts";
import type { HubStep } from "../hub/faults.ts";
import type { UploadReport } from "../hub/file-uploads.ts";
import type { Hub } from "../hub/hub.ts";
import { type HttpAnswer, type HttpOutcome, type HttpRequest, type HttpRoute, jsonAnswer } from "./http-route.ts";

const maxBodyBytes = 65_536;

/** Longest name of a blob, in characters. */
const maxBlobName = 1024;

type Serve = (hub: Hub, deviceId: string, body: JsonObject, request: HttpRequest) => HttpAnswer;

/** What devices ask of a hub over HTTPS whatever else they speak: file upload. */
export function hubRoutes(hub: Hub): readonly HttpRoute[] {
  const route = (path: string, step: HubStep, serve: Serve): HttpRoute => ({
    method: "POST",
    path: `/devices/:deviceId/files${path}`,
    maxBodyBytes,
    handle: (request) => attend(hub, step, request, serve),
  });
  return [
    route("", "file-upload", begin),
    route("/notifications", "file-notification", (_, deviceId, body) =>
      finish(hub, deviceId, String(body.correlationId ?? ""), body),
    ),
    // One of Microsoft's device libraries has the correlation id in the path.
    route("/notifications/:correlationId", "file-notification", (_, deviceId, body, { parameters }) =>
      finish(hub, deviceId, parameters.correlationId ?? "", body),
    ),
  ];
}

/** A scripted fault comes first. */
function attend(hub: Hub, step: HubStep, request: HttpRequest, serve: Serve): HttpOutcome {
  if (hub.modes.silent) return "silence";
  const fault = hub.faults.take(request.parameters.deviceId ?? "", step);
  if (fault === "silence" || fault === "drop") return fault;
  const nowMs = hub.clock.now() + clockSkewOf(fault);
  const isScripted = typeof fault === "object" && "status" in fault;
  const { headers, body = "", ...answer } = isScripted ? scripted(fault) : admit(hub, request, nowMs, serve);
  return {
    ...answer,
    headers: { date: new Date(nowMs).toUTCString(), ...headers },
    body: fault === "malformed" ? malformed(body) : body,
    delivery: deliveryOf(fault),
  };
}

function scripted(fault: ScriptedAnswer): HttpAnswer {
  const { status, retryAfterSeconds } = fault;
  return jsonAnswer(
    status,
    scriptedBody(fault),
    retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) },
  );
}

function admit(hub: Hub, request: HttpRequest, nowMs: number, serve: Serve): HttpAnswer {
  const { parameters, headers, caller } = request;
  const { deviceId = "" } = parameters;
  const refused = hub.modes.refusalStatus;
  if (refused === 503) return refusal(503, "ServiceUnavailable", "as the emulator's owner wants it");
  if (refused === 401) return refusal(401, "IotHubUnauthorizedAccess", "Unauthorized");
  const verdict = hub.judge(deviceId, {
    sasToken: headers.authorization,
    certificates: caller.certificates,
    host: headers.host ?? "",
    nowMs,
  });
  if (verdict === undefined) return refusal(404, "DeviceNotFound", deviceId);
  if (!verdict.ok) return refusal(401, "IotHubUnauthorizedAccess", "Unauthorized");
  if (!/^\d{4}-\d{2}-\d{2}(-preview)?$/.test(request.query.get("api-version") ?? "")) {
    return refusal(400, "InvalidProtocolVersion", "the api-version is missing or malformed");
  }
  const body = parse(request.body);
  return body === undefined
    ? refusal(400, "ArgumentInvalid", "the body is not a JSON object")
    : serve(hub, deviceId, body, request);
}

function begin(hub: Hub, deviceId: string, { blobName }: JsonObject): HttpAnswer {
  if (typeof blobName !== "string" || blobName === "" || blobName.length > maxBlobName) {
    return refusal(400, "ArgumentInvalid", `blobName has to be a text of 1 to ${maxBlobName} characters`);
  }
  const permit = hub.files.begin(deviceId, blobName);
  return permit === undefined
    ? refusal(403, "DeviceMaximumActiveFileUploadLimitExceeded", "10 uploads are under way")
    : jsonAnswer(200, JSON.stringify(permit));
}

function finish(hub: Hub, deviceId: string, correlationId: string, body: JsonObject): HttpAnswer {
  return hub.finishUpload(deviceId, correlationId, reportIn(body))
    ? { status: 204 }
    : refusal(400, "ArgumentInvalid", "there is no upload by this correlation id");
}

function reportIn({ isSuccess, statusCode, statusDescription }: JsonObject): UploadReport {
  return {
    isSuccess: isSuccess === true,
    statusCode: typeof statusCode === "number" ? statusCode : 0,
    statusDescription: typeof statusDescription === "string" ? statusDescription : "",
  };
}

function parse(body: Buffer): JsonObject | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString("utf8"));
    return isJsonObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** An error in the shape that a hub has over HTTPS. */
function refusal(status: number, code: string, message: string): HttpAnswer {
  return jsonAnswer(status, JSON.stringify({ Message: `ErrorCode:${code};${message}`, ExceptionMessage: "" }));
}
