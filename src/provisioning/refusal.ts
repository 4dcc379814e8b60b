import { type ErrorCode, LandfallError, type ServiceReport } from "../errors.ts";
import type { RegistrationAnswer } from "./wire.ts";

/** An answer that is no progress. */
export type UnhappyAnswer = Extract<RegistrationAnswer, { kind: "failed" | "disabled" | "refused" | "malformed" }>;

/** The error for an answer that is no progress; carries all that the service told. */
export function refusal(answer: UnhappyAnswer, retryAfterMs?: number): LandfallError {
  const options = retryAfterMs === undefined ? {} : { retryAfterMs };
  switch (answer.kind) {
    case "malformed":
      return new LandfallError(
        "provisioning.malformed-response",
        `expected a registration status, but DPS sent ${answer.fault}`,
        options,
      );
    case "failed":
      return told("provisioning.failed", "DPS could not assign a hub", answer.report, options);
    case "disabled":
      return told("provisioning.disabled", "the enrollment is disabled in DPS", answer.report, options);
    case "refused":
      return told(codeOf(answer.status), `DPS answered ${answer.status}`, answer.report, options);
  }
}

function codeOf(status: number): ErrorCode {
  if (status >= 500) return "provisioning.service-error";
  switch (status) {
    case 401:
      return "provisioning.unauthorized";
    case 404:
      return "provisioning.not-found";
    case 409:
    case 412:
      return "provisioning.conflict";
    case 429:
      return "provisioning.throttled";
    default:
      return "provisioning.bad-request";
  }
}

function told(
  code: ErrorCode,
  what: string,
  service: ServiceReport,
  options: { readonly retryAfterMs?: number },
): LandfallError {
  const said = service.message === undefined ? "" : `: ${service.message}`;
  const marks = [
    ...(service.errorCode === undefined ? [] : [`error code ${service.errorCode}`]),
    ...(service.trackingId === undefined ? [] : [`tracking id ${service.trackingId}`]),
  ];
  const marked = marks.length === 0 ? "" : ` (${marks.join(", ")})`;
  return new LandfallError(code, `${what}${said}${marked}`, { ...options, service });
}
