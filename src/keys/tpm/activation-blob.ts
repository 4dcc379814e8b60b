import { isLandfallError, LandfallError } from "../../errors.ts";
import type { DuplicatedKey } from "./key-commands.ts";
import type { EncryptedCredential } from "./policy-commands.ts";
import { TpmReader } from "./tpm-reader.ts";

/**
 * What DPS sends a TPM: a key, wrapped so that only the TPM with this endorsement key and this storage root key can
 * take it in.
 *
 * ```
 * TPM2B_ID_OBJECT         the inner key, readable to who has both keys ─┐ credential
 * TPM2B_ENCRYPTED_SECRET  its seed, encrypted for the endorsement key  ─┘
 * TPM2B_PRIVATE           the key, wrapped by inner key and seed       ─┐
 * TPM2B_ENCRYPTED_SECRET  its seed, encrypted for the storage root key  │ key
 * TPM2B_PUBLIC            the key's public area                        ─┘
 * TPM2B_DATA              of no use to a device; may be absent
 * ```
 */
export interface ActivationBlob {
  readonly credential: EncryptedCredential;
  readonly key: Omit<DuplicatedKey, "innerKey">;
}

/** Takes a blob apart. Throws `tpm.activation-failed` when a part is missing, empty or cut off. */
export function readActivationBlob(bytes: Uint8Array): ActivationBlob {
  const reader = new TpmReader(bytes, "the activation blob");
  try {
    const part = (): Buffer => requireContent(reader.sized());
    const blob = {
      credential: { identityObject: part(), encryptedSeed: part() },
      key: { duplicate: part(), encryptedSeed: part(), publicArea: part() },
    };
    if (reader.left > 0) reader.sized();
    return blob;
  } catch (cause) {
    if (!isLandfallError(cause)) throw cause;
    const message = `The activation blob of ${bytes.length} bytes is cut off or is none: ${cause.message}`;
    throw new LandfallError("tpm.activation-failed", message, { cause });
  }
}

function requireContent(part: Buffer): Buffer {
  if (part.length > 0) return part;
  throw new LandfallError("tpm.malformed-response", "The activation blob has a part without content.");
}
