import type { Statistics } from "../statistics.ts";
import type { Group } from "./group.ts";
import { Refusal, smpCode } from "./refusal.ts";
import { RequestFields } from "./request-fields.ts";

/** This group's code for a name that there is not. */
const noSuchStatistics = 3;

/** Group 2: what was counted. */
export function statisticsGroup(statistics: Statistics): Group {
  const groups = new Map<string, Readonly<Record<string, number>>>(Object.entries(statistics));
  return {
    id: 2,
    commands: {
      0: {
        read: (request) => {
          const name = new RequestFields(request, () => Refusal.ofSmp(smpCode.invalid)).text("name", 0, 64);
          const fields = groups.get(name);
          if (fields === undefined) throw Refusal.ofGroup(noSuchStatistics);
          return { name, fields };
        },
      },
      1: { read: () => ({ stat_list: [...groups.keys()] }) },
    },
    translate: (code) => (code === noSuchStatistics ? smpCode.noEntry : smpCode.unknown),
  };
}
