import { readProperty } from "./capability-commands.ts";
import { permanentHandle } from "./constants.ts";
import { nvRead, nvSize } from "./nv-commands.ts";
import { refusedWith } from "./response-error.ts";
import { type Authorization, noPassword } from "./tpm-command.ts";
import type { TpmScope } from "./tpm-scope.ts";

/** Where vendors put the certificate of the RSA 2048 endorsement key (TCG EK Credential Profile). */
const certificateIndex = 0x01c00002;

/** TPM_PT_NV_BUFFER_MAX: the most bytes of non-volatile memory that one command reads. */
const nvBufferProperty = 0x12c;

/** Every TPM reads this many bytes at one time. */
const leastBufferBytes = 512;

/**
 * What stands where vendors put the endorsement key's certificate: DER, padded to the size of the place by some.
 * `undefined` when the TPM has none, as a software TPM usually has not.
 */
export async function readEndorsementCertificate(scope: TpmScope, owner: Authorization): Promise<Buffer | undefined> {
  try {
    const size = await scope.run(nvSize(certificateIndex));
    const pieceBytes = Math.max((await scope.run(readProperty(nvBufferProperty))) ?? 0, leastBufferBytes);
    const pieces: Buffer[] = [];
    for (let offset = 0; offset < size; offset += pieceBytes) {
      const length = Math.min(pieceBytes, size - offset);
      pieces.push(await readPiece(scope, offset, length, owner));
    }
    return Buffer.concat(pieces);
  } catch (error) {
    if (refusedWith(error, "TPM_RC_HANDLE", "TPM_RC_NV_UNINITIALIZED")) return undefined;
    throw error;
  }
}

/** The place has an empty password of its own, as a rule; otherwise the owner may read it. */
async function readPiece(scope: TpmScope, offset: number, length: number, owner: Authorization): Promise<Buffer> {
  try {
    return await scope.run(nvRead(certificateIndex, offset, length, certificateIndex, noPassword));
  } catch (error) {
    if (
      !refusedWith(error, "TPM_RC_NV_AUTHORIZATION", "TPM_RC_AUTH_FAIL", "TPM_RC_BAD_AUTH", "TPM_RC_AUTH_UNAVAILABLE")
    ) {
      throw error;
    }
    return scope.run(nvRead(certificateIndex, offset, length, permanentHandle.owner, owner));
  }
}
