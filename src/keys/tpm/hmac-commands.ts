import { algorithm, commandCode, permanentHandle } from "./constants.ts";
import { empty, sized, uint16, uint32 } from "./structure.ts";
import { noPassword, type TpmCommand } from "./tpm-command.ts";
import type { TpmScope } from "./tpm-scope.ts";

/**
 * HMAC-SHA256 of `bytes` with a key in the TPM.
 * @param bufferBytes how much the TPM takes at one time; more goes by a sequence
 */
export async function hmacSha256(
  scope: TpmScope,
  key: number,
  bytes: Uint8Array,
  bufferBytes: number,
): Promise<Buffer> {
  if (bytes.length <= bufferBytes) return scope.run(hmac(key, bytes));
  const sequence = await scope.run(hmacStart(key));
  let start = 0;
  for (; bytes.length - start > bufferBytes; start += bufferBytes) {
    await scope.run(sequenceUpdate(sequence, bytes.subarray(start, start + bufferBytes)));
  }
  return scope.run(sequenceComplete(sequence, bytes.subarray(start)));
}

function hmac(key: number, bytes: Uint8Array): TpmCommand<Buffer> {
  return {
    name: "TPM2_HMAC",
    code: commandCode.hmac,
    handles: [key],
    authorizations: [noPassword],
    parameters: Buffer.concat([sized(bytes), uint16(algorithm.sha256)]),
    read: (reader) => reader.sized(),
  };
}

function hmacStart(key: number): TpmCommand<number> {
  return {
    name: "TPM2_HMAC_Start",
    code: commandCode.hmacStart,
    handles: [key],
    authorizations: [noPassword],
    parameters: Buffer.concat([empty, uint16(algorithm.sha256)]), // the sequence has no password
    returnsHandle: true,
    read: (_reader, handle) => handle,
  };
}

function sequenceUpdate(sequence: number, bytes: Uint8Array): TpmCommand<void> {
  return {
    name: "TPM2_SequenceUpdate",
    code: commandCode.sequenceUpdate,
    handles: [sequence],
    authorizations: [noPassword],
    parameters: sized(bytes),
    read: () => {},
  };
}

function sequenceComplete(sequence: number, bytes: Uint8Array): TpmCommand<Buffer> {
  return {
    name: "TPM2_SequenceComplete",
    code: commandCode.sequenceComplete,
    handles: [sequence],
    authorizations: [noPassword],
    parameters: Buffer.concat([sized(bytes), uint32(permanentHandle.null)]),
    consumes: sequence,
    read(reader) {
      const result = reader.sized();
      reader.bytes(6); // ticket: tag, hierarchy
      reader.sized(); // and digest
      return result;
    },
  };
}
