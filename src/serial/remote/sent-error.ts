import { describeCause, isLandfallError, LandfallError } from "../../errors.ts";
import { SmpRefusal } from "../smp-faults.ts";
import type { SentError } from "./link-messages.ts";

/** An error, ready to cross to another thread. */
export function sentError(error: unknown): SentError {
  if (!isLandfallError(error)) return { code: "serial.port-failed", message: describeCause(error), details: [] };
  const { code, message, details } = error;
  const refused = error instanceof SmpRefusal ? { refused: { what: error.what, fault: error.fault } } : {};
  return { code, message, details, ...refused };
}

/** The error that crossed. */
export function receivedError({ code, message, details, refused }: SentError): LandfallError {
  return refused === undefined
    ? new LandfallError(code, message, { details })
    : new SmpRefusal(refused.what, refused.fault);
}
