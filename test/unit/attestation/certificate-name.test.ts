import { describe, expect, test } from "vitest";
import { nameForDps, nameForHub } from "../../../src/attestation/certificate-name.ts";

const mismatch = (text: string) =>
  expect.objectContaining({ code: "certificate.name-mismatch", message: expect.stringContaining(text) });

describe("the name of a certificate", () => {
  test.each([
    [[], "no common name"],
    [["a", "b"], '"a" and "b"'],
  ])("has to be one for DPS: %j", (commonNames, found) => {
    expect(() => nameForDps(commonNames, "a")).toThrow(mismatch(found));
    expect(() => nameForDps(commonNames)).toThrow(mismatch(found));
  });

  test.each([
    [[], "no common name"],
    [["sensor-17", "b"], '"sensor-17" and "b"'],
  ])("is warned about for a hub unless it is one: %j", (commonNames, found) => {
    const { id, warnings } = nameForHub(commonNames, "sensor-17");
    expect(id).toBe("sensor-17");
    expect(warnings).toEqual([expect.stringContaining(found)]);
  });

  test("stands for the device id where a hub's device has none set", () => {
    expect(nameForHub(["sensor-17"])).toEqual({ id: "sensor-17", warnings: [] });
    expect(() => nameForHub([])).toThrow(mismatch("no common name"));
  });
});
