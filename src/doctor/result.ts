import type { JsonObject } from "../json.ts";

/**
 * What a check came to.
 *
 * - `ok`: as it should be
 * - `warning`: works, or may work, but somebody should look at it
 * - `failed`: does not work
 * - `skipped`: was not looked at, for the reason given
 * - `unknown`: could not be found out
 */
export type CheckStatus = "ok" | "warning" | "failed" | "skipped" | "unknown";

/** One thing that is not as it should be. */
export interface Finding {
  /** Stable within its check; the page on the doctor lists them all. */
  readonly code: string;
  readonly status: "warning" | "failed" | "unknown";
  /** What was found, about this very device. */
  readonly text: string;
  /** The likely cause. */
  readonly cause: string;
  /** What to do, and whom to ask for what. */
  readonly remedy: string;
}

/**
 * Codes of findings that any check may have, because it did not come to an end of its own: its time was up, what it needs failed,
 * or the doctor has a fault.
 */
export const brokenOff = ["cut-short", "error", "internal"] as const;

/** One of {@link brokenOff}. */
export type BrokenOff = (typeof brokenOff)[number];

/** The result of one check. Plain data without secrets: it is printed, sent as JSON, and diagnosed. */
export interface CheckResult {
  readonly id: string;
  readonly group: string;
  readonly title: string;
  readonly status: CheckStatus;
  /** The outcome on one line. */
  readonly summary: string;
  /** Empty unless the status is `warning`, `failed` or `unknown`. */
  readonly findings: readonly Finding[];
  /** What was seen, one fact a line. */
  readonly evidence: readonly string[];
  /** The same for programs. */
  readonly data: JsonObject;
  /** Of a skipped check: the check that it needs, or `not-applicable`, or `excluded` by the caller. */
  readonly because?: string;
  readonly durationMs: number;
}

const severity: readonly CheckStatus[] = ["skipped", "ok", "warning", "unknown", "failed"];

/** The worst of some statuses; `ok` when there is none. */
export function worstOf(statuses: readonly CheckStatus[]): CheckStatus {
  return statuses.reduce<CheckStatus>(
    (worst, each) => (severity.indexOf(each) > severity.indexOf(worst) ? each : worst),
    "ok",
  );
}
