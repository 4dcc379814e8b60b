import type { DoctorReport } from "../doctor/report.ts";
import type { CheckResult, CheckStatus } from "../doctor/result.ts";
import { plainLine } from "./plain-text.ts";
import type { Style, TextSink } from "./terminal.ts";

const marks: Readonly<Record<CheckStatus, { readonly mark: string; readonly style: Style }>> = {
  ok: { mark: "✓", style: "green" },
  warning: { mark: "!", style: "yellow" },
  failed: { mark: "✗", style: "red" },
  skipped: { mark: "-", style: "dim" },
  unknown: { mark: "?", style: "yellow" },
};

const idWidth = 24;
/** More than this of what was seen is for `--json`. */
const mostEvidence = 12;

/**
 * The lines of one result: one for a check that is as it should be, details for one that is not, none for a check that has
 * nothing to look at here.
 * @param verbose what was seen is told of every check, and those that do not apply have their line too
 */
export function resultLines(result: CheckResult, sink: TextSink, { verbose = false } = {}): string {
  const { id, status, summary, findings, evidence, because } = result;
  if (because === "not-applicable" && !verbose) return "";
  const { mark, style } = marks[status];
  const line = `${id.padEnd(idWidth)} ${plainLine(summary)}`;
  const seen = verbose ? evidence : status === "ok" ? [] : evidence.slice(0, mostEvidence);
  return lines([
    `${sink.style(style, mark)} ${status === "skipped" ? sink.style("dim", line) : line}`,
    ...findings.flatMap(({ code, text, cause, remedy }) => [
      `    ${sink.style(style, code)}: ${plainLine(text)}`,
      `      cause: ${plainLine(cause)}`,
      `      do: ${plainLine(remedy)}`,
    ]),
    ...seen.map((fact) => sink.style("dim", `    seen: ${plainLine(fact)}`)),
  ]);
}

/** What the examination came to. */
export function conclusionLines(
  { summary, diagnosis, checks, durationMs, complete }: DoctorReport,
  sink: TextSink,
): string {
  const inapplicable = checks.filter(({ because }) => because === "not-applicable").length;
  const skipped = summary.skipped - inapplicable;
  const counts = [
    `${summary.ok} ok`,
    ...(summary.warning > 0 ? [plural(summary.warning, "warning")] : []),
    ...(summary.failed > 0 ? [`${summary.failed} failed`] : []),
    ...(summary.unknown > 0 ? [`${summary.unknown} unknown`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(inapplicable > 0 ? [`${inapplicable} not applicable`] : []),
  ];
  const verdict =
    diagnosis === null
      ? []
      : [
          "",
          sink.style("bold", `Diagnosis (${diagnosis.confidence}): ${plainLine(diagnosis.text)}`),
          ...diagnosis.fixes.map((fix, at) => `  ${at + 1}. ${plainLine(fix)}`),
          sink.style("dim", `  ${diagnosis.id}, by ${diagnosis.evidence.join(", ")}`),
        ];
  const cut = complete ? "" : "; not every check came to its end";
  return lines([...verdict, "", `${counts.join(", ")}, in ${(durationMs / 1000).toFixed(1)} s${cut}`]);
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join("");
}
