/* Numbers of TPM 2.0, by the specification's names for them, less the prefix. */

/** Command codes (TPM_CC). */
export const commandCode = {
  evictControl: 0x120,
  createPrimary: 0x131,
  sequenceComplete: 0x13e,
  activateCredential: 0x147,
  nvRead: 0x14e,
  policySecret: 0x151,
  create: 0x153,
  hmac: 0x155,
  import: 0x156,
  load: 0x157,
  hmacStart: 0x15b,
  sequenceUpdate: 0x15c,
  sign: 0x15d,
  flushContext: 0x165,
  nvReadPublic: 0x169,
  readPublic: 0x173,
  startAuthSession: 0x176,
  getCapability: 0x17a,
} as const;

/** Handles that every TPM has (TPM_RH). */
export const permanentHandle = {
  owner: 0x40000001,
  null: 0x40000007,
  /** Authorization by password, in place of a session (TPM_RS_PW). */
  password: 0x40000009,
  endorsement: 0x4000000b,
} as const;

/** Algorithms (TPM_ALG). */
export const algorithm = {
  rsa: 0x0001,
  hmac: 0x0005,
  aes: 0x0006,
  keyedHash: 0x0008,
  sha256: 0x000b,
  null: 0x0010,
  ecdsa: 0x0018,
  ecc: 0x0023,
  cfb: 0x0043,
} as const;

/** Curves (TPM_ECC). */
export const curve = { p256: 0x0003 } as const;

/** Attributes of an object (TPMA_OBJECT). */
export const objectAttribute = {
  fixedTpm: 1 << 1,
  fixedParent: 1 << 4,
  sensitiveDataOrigin: 1 << 5,
  userWithAuth: 1 << 6,
  adminWithPolicy: 1 << 7,
  noDictionaryAttack: 1 << 10,
  restricted: 1 << 16,
  decrypt: 1 << 17,
  sign: 1 << 18,
} as const;

/** What a handle refers to, by its top byte. */
export const handleType = { hmacSession: 0x02, policySession: 0x03, transient: 0x80, persistent: 0x81 } as const;

/** Whether a handle takes up memory in the TPM until it is flushed: a transient object, or a session. */
export function isFlushable(handle: number): boolean {
  const type = handle >>> 24;
  return type === handleType.transient || type === handleType.hmacSession || type === handleType.policySession;
}
