import { LandfallError } from "../../errors.ts";

/** Tag, size and response code. */
export const headerBytes = 10;

/** Largest response that is taken. TPMs of the PC client profile send 4096 bytes at most. */
const maxResponseBytes = 4096;

/**
 * The length of the whole response that begins with `start`; `undefined` while too little of it is there to tell.
 * Throws `tpm.malformed-response` for a length outside of 10 to 4096 bytes.
 */
export function responseLength(start: Uint8Array): number | undefined {
  if (start.length < 6) return undefined;
  const length = Buffer.from(start.buffer, start.byteOffset, start.length).readUInt32BE(2);
  if (length >= headerBytes && length <= maxResponseBytes) return length;
  throw new LandfallError(
    "tpm.malformed-response",
    `Expected a response of ${headerBytes} to ${maxResponseBytes} bytes from the TPM; its header says ${length}.`,
  );
}

/** Puts a response together from what arrives piece by piece. */
export class ResponseAssembly {
  #received = Buffer.alloc(0);

  /**
   * Takes the next bytes; gives the whole response as soon as they are there.
   * Throws `tpm.malformed-response` for an impossible length, and for bytes beyond the end.
   */
  add(bytes: Uint8Array): Buffer | undefined {
    this.#received = Buffer.concat([this.#received, bytes]);
    const length = responseLength(this.#received);
    if (length === undefined || this.#received.length < length) return undefined;
    if (this.#received.length > length) {
      const found = this.#received.length - length;
      throw new LandfallError("tpm.malformed-response", `The TPM sent ${found} bytes more than its response has.`);
    }
    return this.#received;
  }
}
