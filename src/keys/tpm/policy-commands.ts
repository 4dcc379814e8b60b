import { algorithm, commandCode, permanentHandle } from "./constants.ts";
import { empty, sized, uint8, uint16, uint32 } from "./structure.ts";
import type { Authorization, TpmCommand } from "./tpm-command.ts";

/** A session kind (TPM_SE). */
const policySession = 1;

/** Begins a policy session, neither salted nor bound; gives its handle. */
export function startPolicySession(): TpmCommand<number> {
  return {
    name: "TPM2_StartAuthSession",
    code: commandCode.startAuthSession,
    handles: [permanentHandle.null, permanentHandle.null],
    parameters: Buffer.concat([
      sized(Buffer.alloc(16)), // nonce; no HMAC is computed over it
      empty, // salt
      uint8(policySession),
      uint16(algorithm.null), // no parameter is encrypted
      uint16(algorithm.sha256),
    ]),
    returnsHandle: true,
    read(reader, handle) {
      reader.sized(); // nonce
      return handle;
    },
  };
}

/** Meets the policy "whoever knows the password of `entity`" in a session. */
export function policySecret(entity: number, authorization: Authorization, session: number): TpmCommand<void> {
  return {
    name: "TPM2_PolicySecret",
    code: commandCode.policySecret,
    handles: [entity, session],
    authorizations: [authorization],
    parameters: Buffer.concat([
      empty, // nonce
      empty, // the command that this is for: any
      empty, // policy reference
      uint32(0), // no expiry
    ]),
    read(reader) {
      reader.sized(); // time-out
      reader.bytes(6); // ticket: tag, hierarchy
      reader.sized(); // and digest
    },
  };
}

/** A secret that was encrypted for one key and is given out only where another is loaded. */
export interface EncryptedCredential {
  /** Content of TPM2B_ID_OBJECT. */
  readonly identityObject: Uint8Array;
  /** Content of TPM2B_ENCRYPTED_SECRET. */
  readonly encryptedSeed: Uint8Array;
}

/**
 * Gives the secret of a credential.
 * @param object the key that the credential vouches for, used with an empty password
 * @param key the key that it was encrypted for, used under the policy that `session` has met
 */
export function activateCredential(
  object: number,
  key: number,
  session: number,
  { identityObject, encryptedSeed }: EncryptedCredential,
): TpmCommand<Buffer> {
  return {
    name: "TPM2_ActivateCredential",
    code: commandCode.activateCredential,
    handles: [object, key],
    authorizations: [{ kind: "password" }, { kind: "session", handle: session }],
    parameters: Buffer.concat([sized(identityObject), sized(encryptedSeed)]),
    read: (reader) => reader.sized(),
  };
}
