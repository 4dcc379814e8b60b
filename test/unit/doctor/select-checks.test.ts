import { describe, expect, test } from "vitest";
import { allChecks } from "../../../src/doctor/catalogue.ts";
import { selectChecks } from "../../../src/doctor/select-checks.ts";

const idsOf = (only: readonly string[]): string[] => selectChecks(allChecks, { only }).checks.map(({ id }) => id);

describe("a selection of checks", () => {
  test("is all of them unless some are named", () => {
    expect(selectChecks(allChecks, {})).toEqual({ checks: allChecks, excluded: new Set() });
  });

  test("takes along what the named ones depend on, in the order of the checks", () => {
    expect(idsOf(["tls.dps.8883"])).toEqual([
      "config.valid",
      "config.endpoint",
      "endpoint.dps",
      "tcp.dps.8883",
      "tls.dps.8883",
    ]);
    expect(idsOf(["config.valid"])).toEqual(["config.valid"]);
  });

  test("understands the beginning of an id up to a dot, and nothing shorter", () => {
    expect(idsOf(["credential"]).filter((id) => id.startsWith("credential."))).toHaveLength(5);
    expect(idsOf(["tcp.hub"])).toContain("tcp.hub.443");
    expect(() => idsOf(["tcp.hu"])).toThrow(/there is no check "tcp.hu"/);
  });

  test("leaves out what shall be skipped, and nothing else", () => {
    const { checks, excluded } = selectChecks(allChecks, { skip: ["dns", "time.clock"] });
    expect(checks).toEqual(allChecks);
    expect(excluded).toEqual(
      new Set([...allChecks.map(({ id }) => id).filter((id) => id.startsWith("dns.")), "time.clock"]),
    );
  });

  test("refuses what names no check", () => {
    expect(() => selectChecks(allChecks, { skip: ["nobody"] })).toThrow(expect.objectContaining({ code: "cli.usage" }));
  });
});
