import type { LandfallError } from "../errors.ts";
import type { McuLink } from "./mcu-link.ts";

/**
 * Does `work` for as long as the port stays: the signal that it gets aborts with `signal`, and with the port's error when the
 * port goes away. For whoever would rather fail than wait for a port, as requests do.
 * Rejects with the `serial.*` error when the port is away already; one that is being opened for the first time is waited for.
 */
export async function whileUp<T>(
  link: Pick<McuLink, "isUp" | "lastFailure" | "on" | "off">,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (!link.isUp && link.lastFailure !== undefined) throw link.lastFailure;
  const gone = new AbortController();
  const onDown = (error: LandfallError): void => gone.abort(error);
  link.on("down", onDown);
  try {
    return await work(AbortSignal.any([signal, gone.signal]));
  } finally {
    link.off("down", onDown);
  }
}
