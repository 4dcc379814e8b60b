import type { ReasonCode } from "./reasons.ts";
import type { WarningCode } from "./warnings.ts";

/** What is dialled. `explicit`: the host that the settings name; `hub`: the assigned hub; `none`: nothing may be dialled. */
export type EndpointKind = "service" | "global" | "explicit" | "hub" | "none";

/** What the addresses are. `unknown`: a proxy, or a `connect_to` rule, decides. */
export type EndpointPath = "private" | "public" | "unknown";

/** Where to dial, and why. Plain data: the agent logs it, `landfall endpoint` prints it, the doctor explains it. */
export interface EndpointDecision {
  readonly kind: EndpointKind;
  /** The name to verify: SNI, certificate, MQTT username. Absent for `none`. */
  readonly host?: string;
  /** The only addresses to dial, in this order; never empty. Absent: whoever carries the connection resolves the name. */
  readonly addresses?: readonly string[];
  readonly path: EndpointPath;
  /** Whether a proxy may carry the connection. */
  readonly proxy: "allowed" | "never";
  readonly reason: ReasonCode;
  /** The row of the decision table in the documentation. */
  readonly row: string;
  /** The reason as a sentence about this very world. */
  readonly text: string;
  /** What to do about it, and whom to ask; empty when all is well. */
  readonly advice: string;
  readonly warnings: readonly EndpointWarning[];
  /** `none` only: whether the same settings may succeed later. */
  readonly retryable: boolean;
  /** After this many milliseconds the evidence is too old to dial by: 30 000 to 300 000, by the records' TTL. */
  readonly freshForMs: number;
}

/** Something about the decision that a person should know. */
export interface EndpointWarning {
  readonly code: WarningCode;
  readonly text: string;
  readonly remedy: string;
}
