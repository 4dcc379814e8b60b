import type { CheckResult } from "../result.ts";
import type { Diagnosis } from "./diagnosis.ts";

/** Names the one root cause behind some results; undefined when nothing is wrong. */
export function diagnose(_results: readonly CheckResult[]): Diagnosis | undefined {
  return undefined;
}
