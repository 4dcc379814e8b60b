import type { Clock } from "../../clock.ts";
import { deferred } from "../../deferred.ts";
import type { LandfallError } from "../../errors.ts";
import type { Logger } from "../../log.ts";
import type { McuLink } from "../../serial/mcu-link.ts";

/** What every duty of the agent towards its MCU works with. */
export interface McuDuty {
  readonly link: McuLink;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends the duty. */
  readonly signal: AbortSignal;
}

/** Something that became of the MCU, or of what the agent does with it. */
export type McuEvent =
  /** Its port is open. */
  | { readonly event: "mcu-connected"; readonly port: string }
  /** Its port went away, or cannot be opened; the agent waits for it. */
  | { readonly event: "mcu-disconnected"; readonly port: string; readonly error: LandfallError }
  /** Its firmware was seen for the first time, or has started anew. */
  | { readonly event: "mcu-started"; readonly registrationId: string; readonly version?: string }
  /** An update of its firmware has come so far; `error` says why one `failed`. */
  | { readonly event: "mcu-update"; readonly state: string; readonly version: string; readonly error?: Error };

/** Waits until the port comes or goes, `ms` milliseconds at most. Rejects with the duty's reason to end. */
export async function untilPortChanges({ link, clock, signal }: McuDuty, ms: number): Promise<void> {
  const changed = deferred<void>();
  const onChange = (): void => changed.resolve();
  const done = new AbortController();
  link.on("up", onChange);
  link.on("down", onChange);
  try {
    await Promise.race([changed.promise, clock.sleep(ms, { signal: AbortSignal.any([signal, done.signal]) })]);
  } finally {
    done.abort();
    link.off("up", onChange);
    link.off("down", onChange);
  }
}
