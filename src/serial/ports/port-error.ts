import { describeCause, type ErrorCode, LandfallError } from "../../errors.ts";

/** The error for a port that could not be opened. */
export function openError(name: string, cause: unknown): LandfallError {
  const text = describeCause(cause);
  const reason = withoutRepetition(text);
  return new LandfallError(openErrorCode(text), `could not open ${name}: ${reason}`, {
    cause: reason === text ? cause : new Error(reason),
  });
}

/** The driver's texts say once more that there is an error, and what could not be opened. */
function withoutRepetition(text: string): string {
  return text.replace(/^Error:? /, "").replace(/,? cannot open .*$/i, "");
}

/** The driver of serial devices has no error numbers, only the system's words for them. */
function openErrorCode(text: string): ErrorCode {
  if (/ENOENT|ENXIO|ENODEV|ECONNREFUSED|no such (file|device)|file not found/i.test(text))
    return "serial.port-not-found";
  if (/EACCES|EPERM|permission denied|access denied/i.test(text)) return "serial.port-denied";
  if (/EBUSY|cannot lock|busy/i.test(text)) return "serial.port-busy";
  return "serial.port-failed";
}
