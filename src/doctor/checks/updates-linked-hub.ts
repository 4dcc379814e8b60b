import { defineCheck } from "../check.ts";

/** Whether Device Update and a private hub get along. */
export const updatesLinkedHub = defineCheck({
  id: "device-update.linked-hub",
  group: "access",
  title: "Device Update and its hub",
  does: "Looks whether Device Update is used with a hub that is reached over a private path. Sends DNS queries only.",
  dependsOn: ["endpoint.hub", "endpoint.device-update"],
  failures: {
    "hub-private": {
      status: "warning",
      when: "Device Update is configured, and the hub has a private endpoint.",
      cause: "Azure documents that Device Update does not work with a hub whose public network access is disabled.",
      remedy:
        "Ask the owner of the hub to leave public network access enabled, with IP rules for the addresses of Device Update if need be.",
    },
  },
  async run(context, { found }) {
    const [hub, updates] = await Promise.all([context.subject("hub"), context.subject("device-update")]);
    if (hub === undefined || updates === undefined) return { skipped: "Device Update is not configured" };
    if (hub.decision.path !== "private") return { summary: "the hub is not private" };
    const text = `${hub.host} is private, and Device Update needs its public network access`;
    return { summary: "the hub is private", findings: [found("hub-private", { text })] };
  },
});
