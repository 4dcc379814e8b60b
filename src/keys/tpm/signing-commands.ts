import { algorithm, commandCode, permanentHandle } from "./constants.ts";
import type { WrappedKey } from "./key-commands.ts";
import { empty, sized, uint16, uint32 } from "./structure.ts";
import { type Authorization, noPassword, type TpmCommand } from "./tpm-command.ts";

/** The two numbers of an ECDSA signature, each without leading zeros or with. */
export interface EcSignature {
  readonly r: Buffer;
  readonly s: Buffer;
}

/** Signs a digest of SHA-256's length by ECDSA. The key must be one that signs what anybody brings. */
export function sign(key: number, authorization: Authorization, digest: Uint8Array): TpmCommand<EcSignature> {
  return {
    name: "TPM2_Sign",
    code: commandCode.sign,
    handles: [key],
    authorizations: [authorization],
    parameters: Buffer.concat([
      sized(digest),
      ...[uint16(algorithm.ecdsa), uint16(algorithm.sha256)],
      // An empty ticket: the digest was not made by this TPM, which a key without restrictions does not ask for.
      ...[uint16(hashCheckTicket), uint32(permanentHandle.null), empty],
    ]),
    read(reader) {
      reader.uint16(); // ECDSA
      reader.uint16(); // SHA-256
      return { r: reader.sized(), s: reader.sized() };
    },
  };
}

const hashCheckTicket = 0x8024;

/** Makes a new key under `parent`; gives it wrapped, so that this parent in this TPM alone can load it. */
export function createKey(parent: number, template: Uint8Array, password: Uint8Array): TpmCommand<WrappedKey> {
  return {
    name: "TPM2_Create",
    code: commandCode.create,
    handles: [parent],
    authorizations: [noPassword],
    parameters: Buffer.concat([
      sized(Buffer.concat([sized(password), empty])), // sensitive part: password, no data
      sized(template),
      empty, // outside info
      uint32(0), // PCRs that are told about the creation
    ]),
    read(reader) {
      const wrapped = { privatePart: reader.sized(), publicArea: reader.sized() };
      reader.sized(); // creation data
      reader.sized(); // creation hash
      reader.bytes(6); // creation ticket: tag, hierarchy
      reader.sized(); // and digest
      return wrapped;
    },
  };
}
