import { isJsonObject, type JsonObject } from "../../json.ts";
import type { UploadReport } from "../hub/file-uploads.ts";
import type { Hub } from "../hub/hub.ts";
import { type HttpAnswer, type HttpOutcome, type HttpRequest, type HttpRoute, jsonAnswer } from "./http-route.ts";

const maxBodyBytes = 65_536;

/** Longest name of a blob, in characters. */
const maxBlobName = 1024;

type Serve = (hub: Hub, deviceId: string, body: JsonObject, request: HttpRequest) => HttpOutcome;

/** What devices ask of a hub over HTTPS whatever else they speak: file upload. */
export function hubRoutes(hub: Hub): readonly HttpRoute[] {
  const route = (path: string, serve: Serve): HttpRoute => ({
    method: "POST",
    path: `/devices/:deviceId/files${path}`,
    maxBodyBytes,
    handle: (request) => admit(hub, request, serve),
  });
  return [
    route("", begin),
    route("/notifications", (_, deviceId, body) => finish(hub, deviceId, String(body.correlationId ?? ""), body)),
    // One of Microsoft's device libraries has the correlation id in the path.
    route("/notifications/:correlationId", (_, deviceId, body, { parameters }) =>
      finish(hub, deviceId, parameters.correlationId ?? "", body),
    ),
  ];
}

function admit(hub: Hub, request: HttpRequest, serve: Serve): HttpOutcome {
  const { parameters, headers, caller } = request;
  const { deviceId = "" } = parameters;
  if (hub.modes.silent) return "silence";
  const refused = hub.modes.refusalStatus;
  if (refused === 503) return refusal(503, "ServiceUnavailable", "as the emulator's owner wants it");
  if (refused === 401) return refusal(401, "IotHubUnauthorizedAccess", "Unauthorized");
  const verdict = hub.judge(deviceId, {
    sasToken: headers.authorization,
    certificates: caller.certificates,
    host: headers.host ?? "",
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

function begin(hub: Hub, deviceId: string, { blobName }: JsonObject): HttpOutcome {
  if (typeof blobName !== "string" || blobName === "" || blobName.length > maxBlobName) {
    return refusal(400, "ArgumentInvalid", `blobName has to be a text of 1 to ${maxBlobName} characters`);
  }
  const permit = hub.files.begin(deviceId, blobName);
  return permit === undefined
    ? refusal(403, "DeviceMaximumActiveFileUploadLimitExceeded", "10 uploads are under way")
    : jsonAnswer(200, JSON.stringify(permit));
}

function finish(hub: Hub, deviceId: string, correlationId: string, body: JsonObject): HttpOutcome {
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
