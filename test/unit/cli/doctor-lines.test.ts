import { describe, expect, test } from "vitest";
import { conclusionLines, resultLines } from "../../../src/cli/doctor-lines.ts";
import { reportOf } from "../../../src/doctor/report.ts";
import type { CheckResult } from "../../../src/doctor/result.ts";
import { resultOf } from "../../support/doctor-context.ts";
import { fakeTerminal } from "../../support/fake-terminal.ts";

const plain = fakeTerminal().out;
const coloured = fakeTerminal({ isTTY: true }).out;

const failed = resultOf({
  id: "dns.dps",
  status: "failed",
  summary: "no address",
  findings: [
    { code: "record-missing", status: "failed", text: "no record", cause: "made without", remedy: "make one" },
  ],
  evidence: ["10.0.0.4:53 A: NXDOMAIN"],
});

describe("the lines of a result", () => {
  test("are one for a check that is as it should be", () => {
    expect(resultLines(resultOf({ id: "time.clock", summary: "right", evidence: ["x"] }), plain)).toBe(
      "✓ time.clock               right\n",
    );
  });

  test("tell of what is not what was found, why, what to do, and what was seen", () => {
    expect(resultLines(failed, plain)).toBe(
      [
        "✗ dns.dps                  no address",
        "    record-missing: no record",
        "      cause: made without",
        "      do: make one",
        "    seen: 10.0.0.4:53 A: NXDOMAIN",
        "",
      ].join("\n"),
    );
  });

  test("are none for a check that does not apply, unless everything is wanted", () => {
    const none = resultOf({ id: "proxy.path", status: "skipped", because: "not-applicable", summary: "no proxy" });
    expect(resultLines(none, plain)).toBe("");
    expect(resultLines(none, plain, { verbose: true })).toBe("- proxy.path               no proxy\n");
    expect(resultLines({ ...none, because: "tcp.dps.443" }, plain)).toMatch(/^- proxy\.path/);
    const fine: CheckResult = resultOf({ id: "a.b", evidence: ["seen it"] });
    expect(resultLines(fine, plain, { verbose: true })).toMatch(/seen: seen it/);
  });

  test("are coloured on a terminal only, and steered by nobody", () => {
    expect(resultLines(failed, coloured)).toContain("\u001b[");
    expect(resultLines(failed, plain)).not.toContain("\u001b[");
    const forged = resultLines(resultOf({ id: "a.b", summary: "x\n\u001b[2Jy" }), plain);
    expect(forged.trimEnd().split("\n")).toHaveLength(1);
    expect(forged).not.toContain("\u001b");
  });
});

describe("the conclusion", () => {
  const parts = { version: "1", startedAtMs: 0, durationMs: 1234, complete: true, configured: true } as const;
  const diagnosis = {
    id: "private-record-missing",
    confidence: "certain",
    text: "The zone lacks the record.",
    evidence: ["dns.dps"],
    fixes: ["Ask the owner.", "Or wait."],
  } as const;

  test("counts, and leaves out what there is none of", () => {
    const checks = [resultOf({}), resultOf({ status: "skipped", because: "not-applicable" })];
    expect(conclusionLines(reportOf({ ...parts, diagnosis: null, checks }), plain)).toBe(
      "\n1 ok, 1 not applicable, in 1.2 s\n",
    );
  });

  test("names the root cause, how sure it is, and what to do", () => {
    const checks = [failed, resultOf({ status: "warning" }), resultOf({ status: "skipped", because: "dns.dps" })];
    expect(conclusionLines(reportOf({ ...parts, diagnosis, checks, complete: false }), plain)).toBe(
      [
        "",
        "Diagnosis (certain): The zone lacks the record.",
        "  1. Ask the owner.",
        "  2. Or wait.",
        "  private-record-missing, by dns.dps",
        "",
        "0 ok, 1 warning, 1 failed, 1 skipped, in 1.2 s; not every check came to its end",
        "",
      ].join("\n"),
    );
  });
});
