import { endpointFaults, isStrict } from "../../endpoint/endpoint-settings.ts";
import { defineCheck } from "../check.ts";

/** Whether the settings about the endpoint contradict each other, or name something that no certificate covers. */
export const endpointSettings = defineCheck({
  id: "config.endpoint",
  group: "config",
  title: "Settings of the endpoint",
  does: "Looks for contradictions and unusable names in the settings that decide where the device registers. Contacts nothing.",
  dependsOn: ["config.valid"],
  failures: {
    unusable: {
      status: "failed",
      when: "A setting names an address, a privatelink name or no host at all, or excludes another setting.",
      cause:
        "The certificate of the service is for its public name only; a private endpoint is reached by that name too.",
      remedy: "Correct the setting that the text names. To dial elsewhere on purpose, use `connect_to`.",
    },
  },
  async run({ settings, endpoint }, { found }) {
    if (settings.provisioning.source !== "dps") return { skipped: "the hub is given by hand; DPS is not asked" };
    const faults = endpointFaults(endpoint);
    const { endpoint: wish, dpsName, idScope } = endpoint;
    return {
      summary: faults.length === 0 ? "the settings go together" : "the settings leave no endpoint",
      findings: faults.map(({ setting, message }) => found("unusable", { text: `${setting}: ${message}` })),
      data: { endpoint: wish, ...(dpsName === undefined ? {} : { dpsName }), idScope, strict: isStrict(endpoint) },
    };
  },
});
