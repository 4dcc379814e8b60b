import type { Clock } from "../../clock.ts";
import type { Logger } from "../../log.ts";
import type { SmpLink } from "../../serial/smp-link.ts";

/** What every duty of the agent towards its MCU works with. */
export interface McuDuty {
  readonly link: Pick<SmpLink, "request" | "packetBytes" | "cbor" | "serve" | "on" | "off" | "isUp">;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends the duty. */
  readonly signal: AbortSignal;
}
