import { defineCheck } from "../check.ts";

/** Which hub there is to look at. */
export const hubName = defineCheck({
  id: "hub.name",
  group: "state",
  title: "Hub of this device",
  does: "Takes the hub from the configuration, else from the stored assignment, else from what DPS said in `dps.authentication`. Contacts nothing itself.",
  dependsOn: ["config.valid"],
  follows: ["state.assignment", "dps.authentication"],
  failures: {},
  async run(context) {
    const hub = await context.hub();
    if (hub === undefined) return { skipped: "no hub is known yet: this device was never assigned" };
    return { summary: `${hub.host} (${hub.origin})`, data: { host: hub.host, origin: hub.origin } };
  },
});
