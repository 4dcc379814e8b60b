import { algorithm, commandCode, permanentHandle } from "./constants.ts";
import { empty, sized, uint16, uint32 } from "./structure.ts";
import { type Authorization, noPassword, type TpmCommand } from "./tpm-command.ts";

/** The public area of a loaded or persistent key, its size in front (TPM2B_PUBLIC). */
export function readPublic(handle: number): TpmCommand<Buffer> {
  return {
    name: "TPM2_ReadPublic",
    code: commandCode.readPublic,
    handles: [handle],
    read(reader) {
      const area = reader.sizedWhole();
      reader.sized(); // name
      reader.sized(); // qualified name
      return area;
    },
  };
}

/** A loaded key. */
export interface LoadedKey {
  readonly handle: number;
  /** Its size in front (TPM2B_PUBLIC). */
  readonly publicArea: Buffer;
}

/**
 * Makes the key that `template` and the hierarchy's seed determine.
 * @param template public area without size in front
 */
export function createPrimary(
  hierarchy: number,
  authorization: Authorization,
  template: Uint8Array,
): TpmCommand<LoadedKey> {
  return {
    name: "TPM2_CreatePrimary",
    code: commandCode.createPrimary,
    handles: [hierarchy],
    authorizations: [authorization],
    parameters: Buffer.concat([
      sized(Buffer.concat([empty, empty])), // sensitive part: no password, no data
      sized(template),
      empty, // outside info
      uint32(0), // PCRs that are told about the creation
    ]),
    returnsHandle: true,
    read(reader, handle) {
      const publicArea = reader.sizedWhole();
      reader.sized(); // creation data
      reader.sized(); // creation hash
      reader.bytes(6); // creation ticket: tag, hierarchy
      reader.sized(); // and digest
      reader.sized(); // name
      return { handle, publicArea };
    },
  };
}

/** Makes a loaded key persistent at `persistentHandle`; or, where both handles are the same, removes it from there. */
export function evictControl(
  ownerAuthorization: Authorization,
  handle: number,
  persistentHandle: number,
): TpmCommand<void> {
  return {
    name: "TPM2_EvictControl",
    code: commandCode.evictControl,
    handles: [permanentHandle.owner, handle],
    authorizations: [ownerAuthorization],
    parameters: uint32(persistentHandle),
    read: () => {},
  };
}

/** A key as it travels to a new parent. Every part is content without its size in front. */
export interface DuplicatedKey {
  /** The AES-128 key of the inner wrapping. */
  readonly innerKey: Uint8Array;
  readonly publicArea: Uint8Array;
  /** The sensitive part, wrapped twice. */
  readonly duplicate: Uint8Array;
  /** The seed of the outer wrapping, encrypted for the parent. */
  readonly encryptedSeed: Uint8Array;
}

/** Takes a duplicated key in; gives its private part, wrapped so that this parent in this TPM alone can load it. */
export function importKey(parent: number, key: DuplicatedKey): TpmCommand<Buffer> {
  return {
    name: "TPM2_Import",
    code: commandCode.import,
    handles: [parent],
    authorizations: [noPassword],
    parameters: Buffer.concat([
      ...[key.innerKey, key.publicArea, key.duplicate, key.encryptedSeed].map(sized),
      ...[uint16(algorithm.aes), uint16(key.innerKey.length * 8), uint16(algorithm.cfb)],
    ]),
    read: (reader) => reader.sized(),
  };
}

/** A key that a parent can load. Both parts are content without size in front. */
export interface WrappedKey {
  readonly privatePart: Uint8Array;
  readonly publicArea: Uint8Array;
}

/** Loads a key; gives its handle. */
export function load(parent: number, { privatePart, publicArea }: WrappedKey): TpmCommand<number> {
  return {
    name: "TPM2_Load",
    code: commandCode.load,
    handles: [parent],
    authorizations: [noPassword],
    parameters: Buffer.concat([sized(privatePart), sized(publicArea)]),
    returnsHandle: true,
    read(reader, handle) {
      reader.sized(); // name
      return handle;
    },
  };
}
