import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { allChecks } from "../../../src/doctor/catalogue.ts";
import { groups } from "../../../src/doctor/check.ts";
import { diagnosisRules } from "../../../src/doctor/diagnosis/diagnose.ts";
import { doctorPage } from "../../support/doctor-page.ts";

const page = fileURLToPath(new URL("../../../docs/doctor.md", import.meta.url));

describe("the checks", () => {
  test("are what docs/doctor.md says", () => {
    if (process.env.UPDATE_DOCS) writeFileSync(page, doctorPage());
    expect(readFileSync(page, "utf8")).toBe(doctorPage());
  });

  test("have ids of their own, in the shape of <group>.<name>", () => {
    const ids = allChecks.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z-]+(\.[a-z0-9-]+){1,2}$/);
  });

  test("come after those that they depend on or follow", () => {
    const before = new Set<string>();
    for (const { id, dependsOn, follows } of allChecks) {
      for (const earlier of [...dependsOn, ...follows]) expect(before, `${id} needs ${earlier}`).toContain(earlier);
      before.add(id);
    }
  });

  test("say in whole sentences what they do, when they fail, why, and what to do", () => {
    for (const { id, group, does, failures, deadlineMs } of allChecks) {
      expect(Object.keys(groups)).toContain(group);
      expect(does, id).toMatch(/^[A-Z].*\.$/);
      expect(deadlineMs, id).toBeLessThanOrEqual(60_000);
      for (const [code, { when, cause, remedy }] of Object.entries(failures)) {
        expect(when, `${id} ${code}`).toMatch(/^[A-Z].*[.)]$/);
        expect(cause, `${id} ${code}`).toMatch(/^[A-Z].*[.)]$/);
        expect(remedy, `${id} ${code}`).not.toBe("");
      }
    }
  });
});

test("the rules of diagnosis say what they are about", () => {
  for (const { id, about } of diagnosisRules) {
    expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(about, id).toMatch(/^[A-Z].*\.$/);
  }
});
