import type { Telemetry } from "../telemetry.ts";
import type { Group } from "./group.ts";
import { Refusal, smpCode } from "./refusal.ts";
import { RequestFields } from "./request-fields.ts";

/** Messages for the hub, both ways: group and command. */
export const telemetryAddress = { group: 71, message: 1 } as const;

/** Group 71: whether messages are pushed. */
export function telemetryGroup(telemetry: Telemetry, boot: number): Group {
  return {
    id: telemetryAddress.group,
    commands: {
      0: {
        write: (request) => {
          telemetry.allow(new RequestFields(request, () => Refusal.ofGroup(smpCode.invalid)).flag("on"));
          return { boot };
        },
      },
    },
  };
}
