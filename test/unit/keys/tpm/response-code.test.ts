import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readResponseCode } from "../../../../src/keys/tpm/response-code.ts";
import { refusedWith, responseError } from "../../../../src/keys/tpm/response-error.ts";

describe("a response code", () => {
  // As the specification composes them, and as TPMs were seen to answer.
  test.each([
    [0x100, "TPM_RC_INITIALIZE", undefined],
    [0x101, "TPM_RC_FAILURE", undefined],
    [0x143, "TPM_RC_COMMAND_CODE", undefined],
    [0x14b, "TPM_RC_NV_SPACE", undefined],
    [0x18b, "TPM_RC_HANDLE", "handle 1"],
    [0x28b, "TPM_RC_HANDLE", "handle 2"],
    [0x1cb, "TPM_RC_HANDLE", "parameter 1"],
    [0x1df, "TPM_RC_INTEGRITY", "parameter 1"],
    [0x3df, "TPM_RC_INTEGRITY", "parameter 3"],
    [0xfdf, "TPM_RC_INTEGRITY", "parameter 15"],
    [0x98e, "TPM_RC_AUTH_FAIL", "session 1"],
    [0x9a2, "TPM_RC_BAD_AUTH", "session 1"],
    [0xa9d, "TPM_RC_POLICY_FAIL", "session 2"],
    [0x09d, "TPM_RC_POLICY_FAIL", undefined],
    [0x902, "TPM_RC_OBJECT_MEMORY", undefined],
    [0x903, "TPM_RC_SESSION_MEMORY", undefined],
    [0x90a, "TPM_RC_TESTING", undefined],
    [0x920, "TPM_RC_NV_RATE", undefined],
    [0x921, "TPM_RC_LOCKOUT", undefined],
    [0x922, "TPM_RC_RETRY", undefined],
    [0x01e, "TPM_RC_BAD_TAG", undefined],
    // The kernel's resource manager puts its own number above.
    [0xb0143, "TPM_RC_COMMAND_CODE", undefined],
    // A vendor's own, and one that nobody has defined.
    [0x57f, "TPM_RC_0x57f", undefined],
    [0x006, "TPM_RC_0x6", undefined],
  ])("%i is told by name, and by what it is about", (code, name, about) => {
    expect(readResponseCode(code)).toEqual(about === undefined ? { name } : { name, about });
  });

  test("of any value has a name", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0xffffffff }), (code) => {
        expect(readResponseCode(code).name).toMatch(/^TPM_RC_([A-Z][A-Z0-9_]+|0x[0-9a-f]+)$/);
      }),
    );
  });

  test("becomes an error that tells command, name and number", () => {
    const error = responseError("TPM2_Import", 0x3df);
    expect(error).toMatchObject({
      code: "tpm.refused",
      message: "The TPM refused TPM2_Import with TPM_RC_INTEGRITY (0x3df, about parameter 3).",
    });
    expect(refusedWith(error, "TPM_RC_HANDLE", "TPM_RC_INTEGRITY")).toBe(true);
    expect(refusedWith(error, "TPM_RC_HANDLE")).toBe(false);
    expect(refusedWith(new Error("TPM_RC_INTEGRITY"), "TPM_RC_INTEGRITY")).toBe(false);
  });

  test.each([
    [0x921, "tpm.locked-out"],
    [0x9a2, "tpm.wrong-password"],
    [0x98e, "tpm.wrong-password"],
    [0x902, "tpm.out-of-memory"],
    [0x14b, "tpm.out-of-memory"],
    [0x922, "tpm.busy"],
    [0x101, "tpm.refused"],
  ])("%i becomes an error of its kind", (code, expected) => {
    expect(responseError("TPM2_Load", code).code).toBe(expected);
  });
});
