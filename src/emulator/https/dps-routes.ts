import type { Dps } from "../dps/dps.ts";
import type { DeskRequest } from "../dps/registration-desk.ts";
import { type HttpAnswer, type HttpOutcome, type HttpRequest, type HttpRoute, jsonAnswer } from "./http-route.ts";

/** DPS takes no larger message. */
const maxBodyBytes = 98_304;

/** DPS over HTTPS. Every request carries its own credential: an Authorization header, or a certificate below it. */
export function dpsRoutes(dps: Dps): readonly HttpRoute[] {
  const route = (method: HttpRoute["method"], path: string, step: DeskRequest["step"]): HttpRoute => ({
    method,
    path: `/:idScope/registrations/:registrationId${path}`,
    maxBodyBytes,
    handle: (request) => serve(dps, step, request),
  });
  return [
    route("PUT", "/register", "register"),
    route("GET", "/operations/:operationId", "poll"),
    route("POST", "", "look-up"),
  ];
}

function serve(dps: Dps, step: DeskRequest["step"], request: HttpRequest): HttpOutcome {
  const { parameters, headers, caller, body } = request;
  if (dps.modes.silent) return "silence";
  const refused = dps.modes.refusalStatus;
  if (refused !== undefined) return errorAnswer(dps, refused * 1000 + 1, "As the emulator's owner wants it.");
  // Any well-formed version will do.
  if (!/^\d{4}-\d{2}-\d{2}(-preview)?$/.test(request.query.get("api-version") ?? "")) {
    return errorAnswer(dps, 400_003, "The api-version is missing or malformed.");
  }
  const { idScope = "", registrationId = "", operationId = "" } = parameters;
  const outcome = dps.desk.serve({
    requester: {
      idScope,
      registrationId,
      transport: "https",
      sasToken: headers.authorization,
      certificates: caller.certificates,
    },
    step,
    operationId,
    bodyText: body.toString("utf8"),
  });
  if (outcome.kind !== "answer") return outcome.kind;
  const { status, retryAfterSeconds, body: text } = outcome.answer;
  return jsonAnswer(status, text, {
    ...errorCodeIn(text),
    ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
  });
}

/** The newest interface repeats an error's code in a header. */
function errorCodeIn(body: string): Readonly<Record<string, string>> {
  const [, errorCode] = /^\{"errorCode":(\d+)/.exec(body) ?? [];
  return errorCode === undefined ? {} : { "x-ms-error-code": errorCode };
}

function errorAnswer(dps: Dps, errorCode: number, message: string): HttpAnswer {
  const { status, body } = dps.desk.error(errorCode, message);
  return jsonAnswer(status, body, errorCodeIn(body));
}
