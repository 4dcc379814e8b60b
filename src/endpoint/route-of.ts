import { LandfallError } from "../errors.ts";
import type { EndpointDecision } from "./endpoint-decision.ts";

/** Where a decision leads, in the terms of a transport. */
export interface DecidedRoute {
  readonly host: string;
  readonly addresses?: readonly string[];
  readonly proxy?: "never";
}

/**
 * The way that a decision leads. Throws for a decision that leads nowhere: `endpoint.no-safe-endpoint` when another attempt
 * may find a way, `endpoint.cross-cloud`, or `endpoint.settings-conflict`; the details have the advice and every warning.
 */
export function routeOf({ host, kind, addresses, proxy, ...why }: EndpointDecision): DecidedRoute {
  if (host === undefined || kind === "none") throw nowhere(why);
  return {
    host,
    ...(addresses === undefined ? {} : { addresses }),
    ...(proxy === "never" ? { proxy } : {}),
  };
}

function nowhere({ reason, text, advice, warnings, retryable }: Omit<EndpointDecision, "host" | "kind" | "proxy">) {
  const code = reason.includes("cross-cloud")
    ? "endpoint.cross-cloud"
    : retryable
      ? "endpoint.no-safe-endpoint"
      : "endpoint.settings-conflict";
  const details = [advice, ...warnings.map((warning) => `${warning.text} ${warning.remedy}`)].filter(
    (line) => line !== "",
  );
  return new LandfallError(code, `no endpoint may be dialled (${reason}): ${text}`, { details });
}
