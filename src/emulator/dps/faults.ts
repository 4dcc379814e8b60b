import type { Fault } from "../faults/fault.ts";
import { FaultScript } from "../faults/fault-script.ts";

/** A point of a registration at which something can go wrong; `connect` is a step of MQTT alone, `look-up` of HTTPS. */
export type DpsStep = "connect" | "register" | "poll" | "look-up";

/** What can go wrong at DPS. A skewed clock at `connect` holds for all requests of that connection. */
export type DpsFault = Exclude<Fault, "hold">;

const requests = ["register", "poll", "look-up"] as const;
const all = ["connect", ...requests] as const;

/** Faults on demand at DPS, by registration id; ids are compared without regard to case. */
export class DpsFaults extends FaultScript<DpsStep, DpsFault> {
  constructor() {
    super({
      steps: {
        status: requests,
        connack: ["connect"],
        delayMs: all,
        cutAfterBytes: all,
        clockSkewMs: all,
        silence: all,
        drop: all,
        malformed: requests,
        "wrong-rid": ["register", "poll"],
      },
      fold: (id) => id.toLowerCase(),
    });
  }
}
