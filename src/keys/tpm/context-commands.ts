import { commandCode } from "./constants.ts";
import { uint32 } from "./structure.ts";
import type { TpmCommand } from "./tpm-command.ts";

/** Frees the memory of a transient object or session. */
export function flushContext(handle: number): TpmCommand<void> {
  return {
    name: "TPM2_FlushContext",
    code: commandCode.flushContext,
    // The specification makes it a parameter, so that it needs no authorization.
    parameters: uint32(handle),
    consumes: handle,
    read: () => {},
  };
}
