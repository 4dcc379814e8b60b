import { LandfallError } from "../../../errors.ts";

/** The error for something that the owner of the emulated resources may not do. */
export function rejected(message: string): LandfallError {
  return new LandfallError("emulator.rejected", message);
}
