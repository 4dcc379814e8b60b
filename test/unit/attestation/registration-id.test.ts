import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkRegistrationId, isSameRegistrationId } from "../../../src/attestation/registration-id.ts";
import type { LandfallError } from "../../../src/errors.ts";

/** Ids that follow the rules, up to `longest` characters. */
const ids = (longest: number) =>
  fc.stringMatching(new RegExp(`^[A-Za-z0-9]([A-Za-z0-9._:-]{0,${longest - 2}}[A-Za-z0-9-])?$`));

const foreignCharacters = fc
  .integer({ min: 0, max: 0x10ffff })
  .map((code) => String.fromCodePoint(code))
  .filter((character) => !/^[A-Za-z0-9._:-]$/.test(character));

function refusalOf(id: string): LandfallError | undefined {
  try {
    checkRegistrationId(id, "symmetric_key");
    return undefined;
  } catch (error) {
    return error as LandfallError;
  }
}

describe("a registration id", () => {
  test("that follows the rules is accepted", () => {
    fc.assert(fc.property(ids(128), (id) => checkRegistrationId(id, "symmetric_key")));
    fc.assert(fc.property(ids(64), (id) => checkRegistrationId(id, "x509")));
  });

  test("with one foreign character anywhere is refused, and the character is named", () => {
    fc.assert(
      fc.property(ids(60), fc.nat(60), foreignCharacters, (id, at, character) => {
        const spoilt = id.slice(0, at) + character + id.slice(at);
        const error = refusalOf(spoilt);
        expect(error?.code).toBe("attestation.registration-id");
        expect(error?.message).toContain(JSON.stringify(character));
      }),
    );
  });

  test.each([
    ["", "is empty"],
    ["-a", 'begin with a letter or digit; found "-"'],
    [".a", "begin"],
    ["a.", 'end with a letter, a digit or -; found "."'],
    ["a_", "end"],
    ["a:", "end"],
    ["_", "begin"],
    ["sensor 17", 'only; found " "'],
    ["sensor/17", 'only; found "/"'],
    ["füllstand", 'only; found "ü"'],
    ["a\n", 'only; found "\\n"'],
    ["x".repeat(129), "128 characters at most; found 129"],
  ])("%j is refused: %s", (id, reason) => {
    expect(refusalOf(id)).toMatchObject({
      code: "attestation.registration-id",
      message: expect.stringContaining(reason),
    });
  });

  test("may have 128 characters, but 64 with X.509, where it is a common name", () => {
    checkRegistrationId("x".repeat(128), "symmetric_key");
    checkRegistrationId("x".repeat(128), "tpm");
    checkRegistrationId("x".repeat(64), "x509");
    expect(() => checkRegistrationId("x".repeat(65), "x509")).toThrow("64 characters at most; found 65");
  });

  test("may end with a dash", () => {
    checkRegistrationId("sensor-", "symmetric_key");
  });

  test("is the same in capital and small letters", () => {
    expect(isSameRegistrationId("Sensor-17", "sENSOR-17")).toBe(true);
    expect(isSameRegistrationId("sensor-17", "sensor-18")).toBe(false);
  });
});
