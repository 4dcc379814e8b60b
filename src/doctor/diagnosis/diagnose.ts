import { type CheckResult, type CheckStatus, worstOf } from "../result.ts";
import { deviceRules } from "./device-rules.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { nameRules } from "./name-rules.ts";
import { byFinding, type DiagnosisRule } from "./rule.ts";
import { serviceRules } from "./service-rules.ts";
import { Symptoms } from "./symptoms.ts";
import { tcpRules } from "./tcp-rules.ts";
import { tlsRules } from "./tls-rules.ts";
import { warningRules } from "./warning-rules.ts";

/** What no rule knows: the first thing that is wrong stands for itself. */
const lastRule: DiagnosisRule = byFinding({
  id: "unexplained",
  confidence: "possible",
  about: "Something is wrong that no rule explains; the first finding stands for itself.",
  findings: ["*/*", "*/error", "*/internal"],
});

/**
 * Every rule, in order: what lies nearer to the device comes before what lies behind it, since a fault on the way hides
 * everything beyond.
 */
export const diagnosisRules: readonly DiagnosisRule[] = [
  ...deviceRules,
  ...nameRules,
  ...tcpRules,
  ...tlsRules,
  ...serviceRules,
  ...warningRules,
  lastRule,
];

/** What is explained first: a failure before an open question, and that before a warning. */
const urgency: readonly CheckStatus[] = ["failed", "unknown", "warning"];

/**
 * Names the one root cause behind some results: the first rule that explains the worst of them. Undefined when nothing is wrong.
 * A pure function.
 */
export function diagnose(results: readonly CheckResult[]): Diagnosis | undefined {
  const symptoms = new Symptoms(results);
  for (const status of urgency) {
    if (!results.some((result) => result.status === status)) continue;
    for (const { id, confidence, matches } of diagnosisRules) {
      const found = matches(symptoms).find(({ evidence }) => severityOf(evidence, symptoms) === status);
      if (found === undefined) continue;
      const { text, evidence, fixes } = found;
      return {
        id,
        confidence: found.confidence ?? confidence,
        text,
        evidence: evidence.filter((each) => symptoms.result(each) !== undefined),
        fixes: [...new Set(fixes)],
      };
    }
  }
  return undefined;
}

function severityOf(evidence: readonly string[], symptoms: Symptoms): CheckStatus {
  return worstOf(evidence.flatMap((id) => symptoms.result(id)?.status ?? []));
}
