import { type ErrorCode, LandfallError } from "../../errors.ts";
import { readResponseCode } from "./response-code.ts";

/** A TPM refused a command. */
export class TpmResponseError extends LandfallError {
  /** The specification's name for the refusal: `TPM_RC_HANDLE`. */
  readonly responseName: string;
  /**
   * Whether the TPM found fault with a handle, a parameter or a session of the command, and not with the state that it is
   * in itself: it will not take the same command later either, unless its keys change.
   */
  readonly isAboutCommand: boolean;

  constructor(code: ErrorCode, message: string, response: { readonly name: string; readonly isAboutCommand: boolean }) {
    super(code, message);
    this.responseName = response.name;
    this.isAboutCommand = response.isAboutCommand;
  }
}

/** Whether a TPM refused with one of these codes (`TPM_RC_HANDLE`). */
export function refusedWith(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof TpmResponseError && names.includes(error.responseName);
}

/** Refusals of a kind of its own; every other is `tpm.refused`. */
const kinds: Readonly<Record<string, ErrorCode>> = {
  TPM_RC_RETRY: "tpm.busy",
  TPM_RC_YIELDED: "tpm.busy",
  TPM_RC_TESTING: "tpm.busy",
  TPM_RC_NV_RATE: "tpm.busy",
  TPM_RC_LOCKOUT: "tpm.locked-out",
  TPM_RC_AUTH_FAIL: "tpm.wrong-password",
  TPM_RC_BAD_AUTH: "tpm.wrong-password",
  TPM_RC_MEMORY: "tpm.out-of-memory",
  TPM_RC_OBJECT_MEMORY: "tpm.out-of-memory",
  TPM_RC_OBJECT_HANDLES: "tpm.out-of-memory",
  TPM_RC_SESSION_MEMORY: "tpm.out-of-memory",
  TPM_RC_SESSION_HANDLES: "tpm.out-of-memory",
  TPM_RC_NV_SPACE: "tpm.out-of-memory",
};

/** The error for a command that was answered with a code other than success. */
export function responseError(commandName: string, code: number): TpmResponseError {
  const { name, about } = readResponseCode(code);
  const hex = `0x${code.toString(16).padStart(3, "0")}`;
  const details = about === undefined ? hex : `${hex}, about ${about}`;
  return new TpmResponseError(
    kinds[name] ?? "tpm.refused",
    `The TPM refused ${commandName} with ${name} (${details}).`,
    { name, isAboutCommand: (code & 0x80) !== 0 },
  );
}
