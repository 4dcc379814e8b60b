import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../../src/emulator/randomness.ts";
import { assertKey, deriveDeviceKey, generateKey, isKey } from "../../../src/emulator/symmetric-key.ts";

const { keys } = JSON.parse(readFileSync("test/vectors/derived-key.json", "utf8")) as {
  keys: { name: string; groupKey: string; registrationId: string; deviceKey: string }[];
};
const base64 = (bytes: number): string => Buffer.alloc(bytes, 3).toString("base64");

describe("a symmetric key", () => {
  test.each(keys)("of a group member is derived as others do it: $name", ({ groupKey, registrationId, deviceKey }) => {
    expect(deriveDeviceKey(groupKey, registrationId)).toBe(deviceKey);
  });

  test("is generated as DPS does it: 64 bytes in base64, another one each time", () => {
    const random = seededRandom(1);
    const [one, other] = [generateKey(random), generateKey(random)];
    expect(Buffer.from(one, "base64")).toHaveLength(64);
    expect(isKey(one)).toBe(true);
    expect(other).not.toBe(one);
  });

  test("has 16 to 64 bytes", () => {
    expect([15, 16, 64, 65].map((bytes) => isKey(base64(bytes)))).toEqual([false, true, true, false]);
    expect(["", "not base64!", `${base64(16)}=`, base64(17).replaceAll("=", "")].map(isKey)).toEqual(
      Array(4).fill(false),
    );
  });

  test("that is unusable is named by its place, never by its text", () => {
    expect(() => assertKey("c2hvcnQ=", "primaryKey")).toThrow(
      expect.objectContaining({ code: "emulator.rejected", message: expect.not.stringContaining("c2hvcnQ") }),
    );
  });
});
