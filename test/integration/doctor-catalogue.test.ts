import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stagedRows } from "../../src/emulator/private-link/catalogue/catalogue.ts";
import { DoctorStage } from "../support/doctor-stage.ts";
import { expectedDiagnoses, expectedOf } from "../support/expected-diagnoses.ts";

let stage: DoctorStage;
beforeAll(async () => {
  stage = await DoctorStage.open();
});
afterAll(() => stage.close());

const cases = stagedRows.flatMap(({ id, kinds }) => kinds.map((kind) => ({ id, kind })));

describe("the doctor, in every row of the catalogue", () => {
  test.each(cases)("names the root cause of $id, staged for a $kind", async ({ id, kind }) => {
    const expected = expectedOf(id, kind);
    await stage.show(id, { kind });
    // Device Update beside a private hub is a warning of its own, so it is looked at only where a row is about it.
    const services = kind === "device-update" ? (["hub", kind] as const) : (["hub", "digital-twins"] as const);
    const report = await stage.examine({ services, ...expected.device });
    const { diagnosis, exitCode } = report;
    const isUpdates = kind === "device-update" && expected.diagnosis === null;
    expect({ diagnosis: diagnosis?.id ?? null, exitCode }).toEqual(
      isUpdates
        ? { diagnosis: "updates-need-public-hub", exitCode: 1 }
        : { diagnosis: expected.diagnosis, exitCode: expected.exitCode },
    );
    if (diagnosis === null || isUpdates) return;
    expect(diagnosis.confidence).toBe(expected.confidence);
    expect(diagnosis.fixes.join("\n")).toMatch(expected.advice ?? /./);
    const involved = diagnosis.evidence.map((check) => report.checks.find((each) => each.id === check)?.status);
    expect(involved).toContain(exitCode === 2 ? "failed" : "warning");
    if (diagnosis.confidence !== "certain") expect(diagnosis.text + diagnosis.fixes).toMatch(/likely|may|exists/i);
  });

  test("is told what to make of each", () => {
    expect(Object.keys(expectedDiagnoses).sort()).toEqual(stagedRows.map(({ id }) => id).sort());
  });
});
