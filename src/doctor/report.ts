import type { Diagnosis } from "./diagnosis/diagnosis.ts";
import type { CheckResult, CheckStatus } from "./result.ts";

/** What an examination came to; schema `landfall.doctor/1`, fields are only ever added. Holds no secret. */
export interface DoctorReport {
  readonly schema: "landfall.doctor/1";
  /** The version of landfall. */
  readonly version: string;
  /** ISO 8601, UTC, by this machine's clock. */
  readonly startedAt: string;
  readonly durationMs: number;
  readonly exitCode: number;
  /** Whether every check came to an end of its own. */
  readonly complete: boolean;
  readonly summary: Readonly<Record<CheckStatus, number>>;
  /** The one root cause; null when all is well. */
  readonly diagnosis: Diagnosis | null;
  readonly checks: readonly CheckResult[];
}

/** What a {@link DoctorReport} is made from. */
export interface ReportParts extends Pick<DoctorReport, "version" | "complete" | "diagnosis" | "checks"> {
  /** Wall-clock time, milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** Whether there was a valid configuration to work with. */
  readonly configured: boolean;
}

/** Puts a report together. */
export function reportOf(parts: ReportParts): DoctorReport {
  const { version, startedAtMs, durationMs, complete, diagnosis, checks } = parts;
  const count = (status: CheckStatus): number => checks.filter((each) => each.status === status).length;
  return {
    schema: "landfall.doctor/1",
    version,
    startedAt: new Date(startedAtMs).toISOString(),
    durationMs: Math.round(durationMs),
    exitCode: exitCodeOf(parts),
    complete,
    summary: {
      ok: count("ok"),
      warning: count("warning"),
      failed: count("failed"),
      skipped: count("skipped"),
      unknown: count("unknown"),
    },
    diagnosis,
    checks,
  };
}

/** 0 all is well, 1 warnings or open questions, 2 failures, 3 no valid configuration, 4 the doctor could not finish. */
function exitCodeOf({ configured, complete, checks }: ReportParts): number {
  if (!configured) return 3;
  const has = (status: CheckStatus): boolean => checks.some((each) => each.status === status);
  if (has("failed")) return 2;
  if (!complete) return 4;
  return has("warning") || has("unknown") ? 1 : 0;
}
