import { describe, expect, test } from "vitest";
import { type ReportParts, reportOf } from "../../../src/doctor/report.ts";
import type { CheckStatus } from "../../../src/doctor/result.ts";
import { resultOf } from "../../support/doctor-context.ts";

const parts = (statuses: readonly CheckStatus[], more: Partial<ReportParts> = {}): ReportParts => ({
  version: "1.2.3",
  startedAtMs: Date.UTC(2026, 2, 1),
  durationMs: 12.4,
  complete: true,
  configured: true,
  diagnosis: null,
  checks: statuses.map((status, at) => resultOf({ id: `c.${at}`, status })),
  ...more,
});

describe("the exit code", () => {
  test.each([
    [["ok", "skipped"], {}, 0],
    [["ok", "warning"], {}, 1],
    [["ok", "unknown"], {}, 1],
    [["warning", "failed", "unknown"], {}, 2],
    [["failed"], { configured: false }, 3],
    [["unknown"], { complete: false }, 4],
    [["ok"], { complete: false }, 4],
    [["failed", "unknown"], { complete: false }, 2],
  ] as const)("of %j with %j is %i", (statuses, more, exitCode) => {
    expect(reportOf(parts(statuses, more)).exitCode).toBe(exitCode);
  });
});

test("a report counts every status, and says when it was made", () => {
  expect(reportOf(parts(["ok", "ok", "failed", "skipped"]))).toMatchObject({
    schema: "landfall.doctor/1",
    version: "1.2.3",
    startedAt: "2026-03-01T00:00:00.000Z",
    durationMs: 12,
    summary: { ok: 2, warning: 0, failed: 1, skipped: 1, unknown: 0 },
  });
});
