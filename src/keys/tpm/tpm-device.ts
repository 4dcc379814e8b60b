/**
 * The line to a TPM: whole commands go in, whole responses come out, and what is in them is not its business. A TPM
 * that sits elsewhere (behind a microcontroller, on another bus) is made known to the rest by this alone.
 */
export interface TpmDevice {
  /**
   * Sends one command and resolves with the whole response, its ten-byte header included. One at a time.
   * Rejects with `tpm.unavailable` when the line breaks, with `tpm.malformed-response` for a length that no TPM has,
   * and with `signal.reason`; the device is of no more use then, and a response still on its way is lost.
   */
  transmit(command: Uint8Array, options?: { readonly signal?: AbortSignal | undefined }): Promise<Uint8Array>;
  /** Lets go of the TPM. Idempotent. */
  close(): Promise<void>;
}

/**
 * Opens the line for one piece of work. The line is not kept open between two pieces: others get their turn at a TPM
 * without resource manager, and one that went away is found again.
 * Rejects with `tpm.unavailable`, with `tpm.busy` while somebody else has it, or with `signal.reason`.
 */
export type OpenTpmDevice = (options?: { readonly signal?: AbortSignal | undefined }) => Promise<TpmDevice>;
