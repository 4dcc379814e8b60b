import { brokenOff, type Finding } from "../result.ts";
import type { Confidence, Diagnosis } from "./diagnosis.ts";
import type { ServiceSymptoms, Symptoms } from "./symptoms.ts";

/** What a rule says when it applies. */
export interface Match extends Omit<Diagnosis, "id" | "confidence"> {
  /** Default: the rule's own. */
  readonly confidence?: Confidence;
}

/** One line of the diagnosis: a root cause, and how it is recognised. */
export interface DiagnosisRule {
  readonly id: string;
  readonly confidence: Confidence;
  /** The root cause, and what speaks for it; as a sentence. */
  readonly about: string;
  /** Every way in which the rule applies. The evidence of each has a result that is not as it should be. */
  readonly matches: (symptoms: Symptoms) => readonly Match[];
}

/** A rule that applies in one way or not at all. */
export function once(
  rule: Omit<DiagnosisRule, "matches"> & { readonly match: (symptoms: Symptoms) => Match | undefined },
): DiagnosisRule {
  const { match, ...rest } = rule;
  return { ...rest, matches: (symptoms) => present([match(symptoms)]) };
}

/** A rule that single findings decide. */
export function byFinding(
  rule: Omit<DiagnosisRule, "matches"> & {
    /** `<check>/<code>`, in order; `<check>/*` for any failure of the check's own; a check may be `dns.*`. */
    readonly findings: readonly string[];
  },
): DiagnosisRule {
  const { findings: patterns, ...rest } = rule;
  return {
    ...rest,
    matches: ({ results }) =>
      patterns.flatMap((pattern) => {
        const [check = "", code = ""] = pattern.split("/");
        return results
          .filter(({ id }) => fits(id, check))
          .flatMap(({ id, findings }) =>
            findings
              .filter((each) => (code === "*" ? !isBrokenOff(each) : each.code === code))
              .map((each) => ({ text: explained(each, rest.confidence), evidence: [id], fixes: [each.remedy] })),
          );
      }),
  };
}

/** What was found, and where it does not speak for itself, what is behind it. */
export function explained({ text, cause }: Finding, confidence: Confidence): string {
  if (confidence === "certain") return sentence(text);
  const guess = /^(Likely|Azure|Either) /.test(cause)
    ? cause
    : `${confidence === "likely" ? "Likely" : "Possibly"}: ${cause}`;
  return `${sentence(text)} ${sentence(guess)}`;
}

function isBrokenOff({ code }: Finding): boolean {
  return brokenOff.some((each) => each === code);
}

function fits(id: string, pattern: string): boolean {
  return pattern.endsWith("*") ? id.startsWith(pattern.slice(0, -1)) : id === pattern;
}

/** A rule about the way to a service, tried for each service in turn: DPS first, then the hub. */
export function byService(
  rule: Omit<DiagnosisRule, "matches"> & {
    readonly match: (service: ServiceSymptoms, symptoms: Symptoms) => Match | undefined;
  },
): DiagnosisRule {
  const { match, ...rest } = rule;
  return {
    ...rest,
    matches: (symptoms) => present(symptoms.services.map((service) => match(service, symptoms))),
  };
}

function present(matches: readonly (Match | undefined)[]): Match[] {
  return matches.filter((each) => each !== undefined);
}

/** A text as a sentence; one that begins with a name or a path keeps its first letter. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  const begun = /^[a-z]+(?=[\s,;:]|$)/.test(trimmed)
    ? `${trimmed.slice(0, 1).toUpperCase()}${trimmed.slice(1)}`
    : trimmed;
  return `${begun}${/[.!?]$/.test(begun) ? "" : "."}`;
}
