import { type ErrorCode, LandfallError } from "../errors.ts";
import type { EndpointDecision } from "./endpoint-decision.ts";

/** The error of a decision that allows no endpoint; undefined when there is one. */
export function decisionError(decision: EndpointDecision): LandfallError | undefined {
  if (decision.kind !== "none") return undefined;
  const { reason, row, text, advice, warnings } = decision;
  return new LandfallError(codeOf(decision), text, {
    details: [
      `reason: ${reason} (row ${row})`,
      ...(advice === "" ? [] : [advice]),
      ...warnings.map((warning) => `${warning.code}: ${warning.text} ${warning.remedy}`),
    ],
  });
}

function codeOf({ reason, retryable }: EndpointDecision): ErrorCode {
  if (reason === "cross-cloud" || reason === "hub-outside-azure") return "endpoint.cross-cloud";
  return retryable ? "endpoint.no-safe-endpoint" : "endpoint.settings-conflict";
}
