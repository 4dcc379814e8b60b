/*
 * Response codes of TPM 2.0 (TPM_RC). A code of format one (bit 7) also says which parameter (bit 6), session (bit 11)
 * or handle it is about, counted from 1. Others are errors (from 0x100 on) or warnings (from 0x900 on).
 */

const formatOne: Readonly<Record<number, string>> = {
  1: "ASYMMETRIC",
  2: "ATTRIBUTES",
  3: "HASH",
  4: "VALUE",
  5: "HIERARCHY",
  7: "KEY_SIZE",
  8: "MGF",
  9: "MODE",
  10: "TYPE",
  11: "HANDLE",
  12: "KDF",
  13: "RANGE",
  14: "AUTH_FAIL",
  15: "NONCE",
  16: "PP",
  18: "SCHEME",
  21: "SIZE",
  22: "SYMMETRIC",
  23: "TAG",
  24: "SELECTOR",
  26: "INSUFFICIENT",
  27: "SIGNATURE",
  28: "KEY",
  29: "POLICY_FAIL",
  31: "INTEGRITY",
  32: "TICKET",
  33: "RESERVED_BITS",
  34: "BAD_AUTH",
  35: "EXPIRED",
  36: "POLICY_CC",
  37: "BINDING",
  38: "CURVE",
  39: "ECC_POINT",
};

const errors: Readonly<Record<number, string>> = {
  0: "INITIALIZE",
  1: "FAILURE",
  3: "SEQUENCE",
  11: "PRIVATE",
  25: "HMAC",
  32: "DISABLED",
  33: "EXCLUSIVE",
  36: "AUTH_TYPE",
  37: "AUTH_MISSING",
  38: "POLICY",
  39: "PCR",
  40: "PCR_CHANGED",
  45: "UPGRADE",
  46: "TOO_MANY_CONTEXTS",
  47: "AUTH_UNAVAILABLE",
  48: "REBOOT",
  49: "UNBALANCED",
  66: "COMMAND_SIZE",
  67: "COMMAND_CODE",
  68: "AUTHSIZE",
  69: "AUTH_CONTEXT",
  70: "NV_RANGE",
  71: "NV_SIZE",
  72: "NV_LOCKED",
  73: "NV_AUTHORIZATION",
  74: "NV_UNINITIALIZED",
  75: "NV_SPACE",
  76: "NV_DEFINED",
  80: "BAD_CONTEXT",
  81: "CPHASH",
  82: "PARENT",
  83: "NEEDS_TEST",
  84: "NO_RESULT",
  85: "SENSITIVE",
};

const warnings: Readonly<Record<number, string>> = {
  1: "CONTEXT_GAP",
  2: "OBJECT_MEMORY",
  3: "SESSION_MEMORY",
  4: "MEMORY",
  5: "SESSION_HANDLES",
  6: "OBJECT_HANDLES",
  7: "LOCALITY",
  8: "YIELDED",
  9: "CANCELED",
  10: "TESTING",
  16: "REFERENCE_H0",
  17: "REFERENCE_H1",
  18: "REFERENCE_H2",
  19: "REFERENCE_H3",
  20: "REFERENCE_H4",
  21: "REFERENCE_H5",
  22: "REFERENCE_H6",
  24: "REFERENCE_S0",
  25: "REFERENCE_S1",
  26: "REFERENCE_S2",
  27: "REFERENCE_S3",
  28: "REFERENCE_S4",
  29: "REFERENCE_S5",
  30: "REFERENCE_S6",
  32: "NV_RATE",
  33: "LOCKOUT",
  34: "RETRY",
  35: "NV_UNAVAILABLE",
};

/** A response code, taken apart. */
export interface ResponseCode {
  /** `TPM_RC_HANDLE`; a code without a name is `TPM_RC_0x…`. */
  readonly name: string;
  /** What the code is about, `handle 1` or `parameter 2`; absent for codes that are about the whole command. */
  readonly about?: string;
}

/** Takes apart what a TPM, or the resource manager before it, answered with. */
export function readResponseCode(code: number): ResponseCode {
  // Whatever sits before the TPM (the kernel's resource manager) puts its own layer number above 16 bits.
  const own = code & 0xffff;
  if ((own & 0x80) !== 0) {
    const name = formatOne[own & 0x3f];
    if (name !== undefined) return { name: `TPM_RC_${name}`, ...aboutOf(own) };
  } else if ((own & 0x400) === 0 && (own & 0x100) !== 0) {
    const name = ((own & 0x800) === 0 ? errors : warnings)[own & 0x7f];
    if (name !== undefined) return { name: `TPM_RC_${name}` };
  }
  return { name: own === 0x1e ? "TPM_RC_BAD_TAG" : `TPM_RC_0x${code.toString(16)}` };
}

function aboutOf(code: number): Pick<ResponseCode, "about"> {
  const number = (code >> 8) & 0xf;
  if ((code & 0x40) !== 0) return number === 0 ? {} : { about: `parameter ${number}` };
  if ((number & 0x7) === 0) return {};
  return { about: `${(number & 0x8) === 0 ? "handle" : "session"} ${number & 0x7}` };
}
