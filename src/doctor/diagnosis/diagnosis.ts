/**
 * How sure a diagnosis is.
 *
 * - `certain`: the evidence leaves no other explanation
 * - `likely`: this is what usually is behind it; Azure does not document it, or another cause looks the same
 * - `possible`: one of several explanations
 */
export type Confidence = "certain" | "likely" | "possible";

/** The one root cause behind the results of the checks. */
export interface Diagnosis {
  /** Stable; the page on the doctor lists them all. */
  readonly id: string;
  readonly confidence: Confidence;
  readonly text: string;
  /** Ids of the checks that support it. */
  readonly evidence: readonly string[];
  /** What to do, and whom to ask for what; the first is the most promising. */
  readonly fixes: readonly string[];
}
