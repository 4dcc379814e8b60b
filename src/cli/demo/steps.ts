import { firstSteps } from "./first-act.ts";
import { mcuSteps } from "./mcu-act.ts";
import { secondSteps } from "./second-act.ts";

/** What has to happen in the demo, in order. */
export const steps: readonly string[] = [...firstSteps, ...secondSteps, ...mcuSteps];
